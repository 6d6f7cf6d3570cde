import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type Docker from 'dockerode'
import { lineSplitter } from './lines.ts'
import type { AttachedProcess, AttachOptions } from './port.ts'

/**
 * Begins a command in a container and stays attached: what is said goes to its standard input, each of its lines is told. It is
 * to end when its input does, which also comes about when this process dies: the engine has no call that kills an exec.
 */
export async function attachedExec(
  docker: Docker,
  id: string,
  argv: string[],
  { onLine }: AttachOptions,
): Promise<AttachedProcess> {
  const exec = await docker
    .getContainer(id)
    .exec({ Cmd: argv, AttachStdin: true, AttachStdout: true, AttachStderr: true })
  const stream = await exec.start({ hijack: true, stdin: true })
  const both = new PassThrough()
  docker.modem.demuxStream(stream, both, both)
  both.on('data', lineSplitter(onLine))
  // An error of the socket is its end; how the process ended is asked for then.
  stream.on('error', () => stream.destroy())
  const ended = once(stream, 'close').then(async () => ({ exitCode: (await exec.inspect()).ExitCode ?? -1 }))
  ended.catch(() => undefined)
  return {
    say: (line) => {
      if (stream.writable) stream.write(`${line}\n`)
    },
    ended,
    end: () => void stream.end(),
  }
}
