import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What the engine's client wrote; `docker logs` tells on the one stream what the container told on it. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run('docker', args, { maxBuffer: 32 << 20 })
  return `${stdout}${args[0] === 'logs' ? stderr : ''}`.trim()
}
