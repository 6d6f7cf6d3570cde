import { createReadStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import Docker from 'dockerode'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { attachedExec } from './attached-exec.ts'
import { createBody, networkCreateBody } from './create-body.ts'
import { engineError, statusOf, wordsOfEngine } from './docker-errors.ts'
import { watchEvents } from './event-stream.ts'
import { observedContainer, observedNetwork } from './observed.ts'
import type { ContainerSpec, Engine } from './port.ts'

export type DockerEngineDeps = {
  /** Path of the engine's socket. */
  socket: string
  /** The agent's id: whatever bears it in the label `marshlight.agent` is ours, nothing else. */
  agentLabel: string
  log: Log
  clock: Clock
  random: Random
}

/** Inspections that run at the same time; the engine answers them one by one anyway. */
const inspectAtOnce = 8
const maxExecOutput = 65_536

/** The Docker Engine behind the port. No API version is pinned: an engine refuses one newer than its own. */
export function makeDockerEngine(deps: DockerEngineDeps): Engine {
  const { socket, agentLabel } = deps
  const docker = new Docker({ socketPath: socket })
  const label = `marshlight.agent=${agentLabel}`
  let apiVersion: string | undefined

  /** Runs a call; `fine` are answers that mean that there is nothing left to do. */
  async function call<T>(doing: string, work: () => Promise<T>, fine: readonly number[] = []): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      if (fine.includes(statusOf(error) ?? 0)) return undefined
      throw engineError(error, doing, socket)
    }
  }
  async function must<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw engineError(error, doing, socket)
    }
  }
  async function version() {
    const answer = await must('docker version', () => docker.version())
    apiVersion = answer.ApiVersion
    return { version: answer.Version, apiVersion: answer.ApiVersion }
  }
  /** Inspects; undefined when it is gone. Throws for a container that is not ours. */
  async function ours(id: string) {
    const answer = await call(`docker inspect ${id}`, () => docker.getContainer(id).inspect(), [404])
    if (answer && answer.Config.Labels['marshlight.agent'] !== agentLabel)
      throw new MarshlightError('CONFLICT', {
        what: `the container ${id} was not made by this agent`,
        next: 'It is left alone; give it another name.',
      })
    return answer
  }

  return {
    ping: version,
    hasImage: async (image) =>
      (await call(`docker image inspect ${image}`, () => docker.getImage(image).inspect(), [404])) !== undefined,
    loadImage: async (archive) => {
      const stream = await must(`docker load -i ${archive}`, () => docker.loadImage(createReadStream(archive), {}))
      // The engine has loaded the image when its progress report ends.
      for await (const _ of stream);
    },
    imageId: async (image) =>
      (await call(`docker image inspect ${image}`, () => docker.getImage(image).inspect(), [404]))?.Id,
    tagImage: async (image, tag) => {
      const [, repo, version] = /^(.+):([^:/]+)$/.exec(tag) ?? ['', tag, 'latest']
      await must(`docker tag ${image} ${tag}`, () => docker.getImage(image).tag({ repo, tag: version }))
    },
    untagImage: async (tag) => {
      await call(`docker image rm ${tag}`, () => docker.getImage(tag).remove(), [404])
    },
    containers: async () => {
      const listed = await must('docker ps', () => docker.listContainers({ all: true, filters: { label: [label] } }))
      const found = []
      for (let i = 0; i < listed.length; i += inspectAtOnce) {
        const some = listed.slice(i, i + inspectAtOnce).map(({ Id }) => ours(Id))
        for (const answer of await Promise.all(some)) if (answer) found.push(observedContainer(answer))
      }
      return found
    },
    networks: async () => (await must('docker network ls', () => docker.listNetworks())).map(observedNetwork),
    createMacvlan: async (spec) => {
      await must(`docker network create ${spec.name}`, () => docker.createNetwork(networkCreateBody(spec)))
    },
    removeNetwork: async (name) => {
      const network = docker.getNetwork(name)
      const answer = await call(`docker network inspect ${name}`, () => network.inspect(), [404])
      if (!answer) return
      if (answer.Labels?.['marshlight.agent'] !== agentLabel)
        throw new MarshlightError('CONFLICT', {
          what: `the network ${name} was not made by this agent`,
          next: 'It is left alone.',
        })
      await call(`docker network rm ${name}`, () => network.remove(), [404])
    },
    create: async (spec) => {
      const body = createBody(spec, apiVersion ?? (await version()).apiVersion)
      try {
        return (await docker.createContainer(body)).id
      } catch (error) {
        throw creationError(error, spec, socket)
      }
    },
    start: async (id) => {
      await call(`docker start ${id}`, () => docker.getContainer(id).start(), [304])
    },
    stop: async (id, deadlineSeconds) => {
      if (!(await ours(id))) return
      const container = docker.getContainer(id)
      // 409: it does not run.
      if (deadlineSeconds === 0) await call(`docker kill ${id}`, () => container.kill(), [404, 409])
      else await call(`docker stop ${id}`, () => container.stop({ t: deadlineSeconds }), [304, 404])
    },
    remove: async (id) => {
      if (!(await ours(id))) return
      // 409: its removal is under way already.
      await call(`docker rm ${id}`, () => docker.getContainer(id).remove({ force: true, v: true }), [404, 409])
    },
    exec: (id, argv, options) =>
      must(`docker exec ${id}`, () => execIn(docker, id, argv, options?.timeoutMs ?? 10_000)),
    attach: (id, argv, options) => must(`docker exec -i ${id}`, () => attachedExec(docker, id, argv, options)),
    watch: (onEvent, onReconnect, signal) => watchEvents({ ...deps, docker, label }, onEvent, onReconnect, signal),
  }
}

function creationError(error: unknown, spec: ContainerSpec, socket: string): MarshlightError {
  if (statusOf(error) === 404 && /no such image/i.test(wordsOfEngine(error)))
    return new MarshlightError('IMAGE_MISSING', { image: spec.image })
  return engineError(error, `docker create ${spec.name}`, socket)
}

async function execIn(docker: Docker, id: string, argv: string[], timeoutMs: number) {
  const exec = await docker.getContainer(id).exec({ Cmd: argv, AttachStdout: true, AttachStderr: true })
  const stream = await exec.start({})
  const both = new PassThrough()
  docker.modem.demuxStream(stream, both, both)
  let output = ''
  both.on('data', (chunk: Buffer) => {
    if (output.length < maxExecOutput) output += chunk.toString('utf8')
  })
  let timer: NodeJS.Timeout | undefined
  const end = await Promise.race([
    new Promise<'end'>((resolve, reject) => stream.once('end', () => resolve('end')).once('error', reject)),
    new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), timeoutMs)
    }),
  ])
  clearTimeout(timer)
  if (end === 'late') {
    stream.destroy()
    throw new MarshlightError('TIMEOUT', {
      what: `\`${argv.join(' ')}\` in ${id}`,
      seconds: timeoutMs / 1000,
      next: 'Look at the load of the appliance.',
    })
  }
  return { exitCode: (await exec.inspect()).ExitCode ?? -1, output: output.slice(0, maxExecOutput) }
}
