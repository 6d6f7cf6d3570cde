import { MarshlightError } from '../../shared/errors.ts'
import type { ContainerSpec, Engine, EngineEvent, NetworkSpec, ObservedContainer } from './port.ts'

type Kept = { spec: ContainerSpec; observed: ObservedContainer }

/** What a test may do to the double beyond the port. */
export type MemoryEngine = Engine & {
  images: Set<string>
  /** Ends a container as a crash would. */
  crash(name: string, exitCode: number): void
  /** Answers the next call of that name with an error. */
  failNext(call: keyof Engine, error: Error): void
  calls: string[]
  /** What `containers` would tell, without being a call. */
  standing(): ObservedContainer[]
}

/** The port in memory, for tests only. What it does not do throws. */
export function makeMemoryEngine(agentLabel: string, now: () => number = Date.now): MemoryEngine {
  const kept = new Map<string, Kept>()
  const networks = new Map<string, NetworkSpec>()
  const listeners = new Set<(event: EngineEvent) => void>()
  const faults = new Map<keyof Engine, Error[]>()
  const images = new Set<string>()
  /** What tags mean that were given; any other means an image of its own. */
  const tagged = new Map<string, string>()
  const idOf = (image: string) => tagged.get(image) ?? `sha256:${image}`
  const calls: string[] = []
  let made = 0

  const find = (id: string) => kept.get(id) ?? [...kept.values()].find(({ spec }) => spec.name === id)
  const emit = (kind: EngineEvent['kind'], { observed }: Kept) => {
    const { exitCode } = observed
    for (const listener of listeners)
      listener({
        kind,
        container: observed.id,
        labels: observed.labels,
        ...(kind === 'die' && exitCode !== undefined && { exitCode }),
      })
  }
  const enter = (call: keyof Engine, about = '') => {
    calls.push(about ? `${call} ${about}` : call)
    const fault = faults.get(call)?.shift()
    if (fault) throw fault
  }
  const failed = (command: string, why: string) =>
    new MarshlightError('COMMAND_FAILED', { command, why, next: 'It is tried again.' })
  const end = (container: Kept, exitCode: number) => {
    if (!container.observed.running) return
    const { pid: _, ...observed } = container.observed
    container.observed = { ...observed, running: false, exitCode, finishedAt: new Date(now()).toISOString() }
    emit('die', container)
  }

  const standing = () => [...kept.values()].map(({ observed }) => structuredClone(observed))

  return {
    images,
    calls,
    crash: (name, exitCode) => {
      const container = find(name)
      if (!container) throw new Error(`no container ${name}`)
      end(container, exitCode)
    },
    failNext: (call, error) => faults.set(call, [...(faults.get(call) ?? []), error]),
    ping: async () => ({ version: 'memory', apiVersion: '1.41' }),
    hasImage: async (image) => images.has(image),
    loadImage: async () => {
      throw new MarshlightError('NO_SUCH_METHOD', { port: 'the engine in memory', what: 'load images' })
    },
    imageId: async (image) => {
      enter('imageId', image)
      return images.has(image) ? idOf(image) : undefined
    },
    tagImage: async (image, tag) => {
      enter('tagImage', `${image} ${tag}`)
      const known = images.has(image) ? idOf(image) : [...images].map(idOf).find((one) => one === image)
      if (known === undefined) throw failed(`docker tag ${image} ${tag}`, 'no such image')
      images.add(tag)
      tagged.set(tag, known)
    },
    untagImage: async (tag) => {
      enter('untagImage', tag)
      if ([...kept.values()].some(({ spec }) => spec.image === tag)) throw failed(`docker image rm ${tag}`, 'in use')
      images.delete(tag)
      tagged.delete(tag)
    },
    standing,
    containers: async () => {
      enter('containers')
      return standing()
    },
    networks: async () =>
      [...networks.values()].map(({ name, cidr, parent, labels }) => ({
        id: `net-${name}`,
        name,
        cidr,
        parent,
        labels,
      })),
    createMacvlan: async (spec) => {
      enter('createMacvlan', spec.name)
      if ([...networks.values()].some(({ parent }) => parent === spec.parent))
        throw failed(`docker network create ${spec.name}`, `a network is already using parent interface ${spec.parent}`)
      networks.set(spec.name, spec)
    },
    removeNetwork: async (name) => {
      enter('removeNetwork', name)
      networks.delete(name)
    },
    create: async (spec) => {
      enter('create', spec.name)
      if (!images.has(spec.image)) throw new MarshlightError('IMAGE_MISSING', { image: spec.image })
      if (find(spec.name)) throw failed(`docker create ${spec.name}`, `the name ${spec.name} is already in use`)
      made++
      const id = `${made}`.padStart(64, '0')
      const address = spec.network.kind === 'macvlan' ? { ip: spec.network.ip, mac: spec.network.mac } : {}
      const labels = { ...spec.labels, 'marshlight.agent': agentLabel }
      kept.set(id, { spec, observed: { id, name: spec.name, image: spec.image, running: false, labels, ...address } })
      return id
    },
    start: async (id) => {
      enter('start', id)
      const container = find(id)
      if (!container) throw failed(`docker start ${id}`, `no such container: ${id}`)
      if (container.observed.running) return
      const { network } = container.spec
      if (network.kind === 'pod' && !find(network.pod)?.observed.running)
        throw failed(`docker start ${id}`, `cannot join the network of ${network.pod}, which does not run`)
      if (network.kind === 'macvlan' && !networks.has(network.network))
        throw failed(`docker start ${id}`, `network ${network.network} not found`)
      const { exitCode: _, ...observed } = container.observed
      container.observed = { ...observed, running: true, startedAt: new Date(now()).toISOString(), pid: 1000 + made }
      emit('start', container)
    },
    stop: async (id, deadlineSeconds) => {
      enter('stop', id)
      const container = find(id)
      if (container) end(container, deadlineSeconds === 0 ? 137 : 143)
    },
    remove: async (id) => {
      enter('remove', id)
      const container = find(id)
      if (!container) return
      end(container, 137)
      kept.delete(container.observed.id)
      emit('destroy', container)
    },
    exec: async () => {
      throw new MarshlightError('NO_SUCH_METHOD', { port: 'the engine in memory', what: 'run commands' })
    },
    attach: async () => {
      throw new MarshlightError('NO_SUCH_METHOD', { port: 'the engine in memory', what: 'run commands' })
    },
    watch: async (onEvent, onReconnect, signal) => {
      listeners.add(onEvent)
      onReconnect()
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      listeners.delete(onEvent)
    },
  }
}
