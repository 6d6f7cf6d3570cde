/** A container of ours as the engine shows it. Everything ours bears the label `marshlight.agent`. */
export type ObservedContainer = {
  id: string
  name: string
  image: string
  running: boolean
  /** Only of one that ran and ended. */
  exitCode?: number
  /** Of the last start; none before the first. */
  startedAt?: string
  /** Of the last end; none while it runs the first time. */
  finishedAt?: string
  labels: Record<string, string>
  /** Address and MAC on the network it was given. */
  ip?: string
  mac?: string
  pid?: number
}

export type ObservedNetwork = {
  id: string
  name: string
  /** Foreign networks are shown too, so that a parent or range in use can be told; only ours has `marshlight.agent`. */
  labels: Record<string, string>
  cidr?: string
  parent?: string
}

export type NetworkSpec = {
  name: string
  cidr: string
  /** Default route of the decoys; without one they have none. */
  gateway?: string
  /** The card's own address, which no decoy may get. */
  address: string
  parent: string
  labels: Record<string, string>
}

export type ContainerSpec = {
  name: string
  image: string
  labels: Record<string, string>
  hostname?: string
  env: Record<string, string>
  /** macvlan attachment of a pod, or the pod whose network is shared. */
  network:
    | { kind: 'macvlan'; network: string; ip: string; mac: string }
    | { kind: 'pod'; pod: string }
    | { kind: 'none' }
  mounts: { source: string; target: string; readOnly: boolean }[]
  tmpfs: Record<string, string>
  sysctls: Record<string, string>
  readOnlyRoot: boolean
  user?: string
  /** `service`: the list in `service-syscalls.json`, in place of the engine's own. */
  systemCalls?: 'service'
  capDrop: string[]
  capAdd: string[]
  memoryMb: number
  pids: number
  cpus: number
  command?: string[]
  entrypoint?: string[]
}

export type EngineEvent = {
  kind: 'start' | 'die' | 'destroy' | 'oom'
  container: string
  labels: Record<string, string>
  exitCode?: number
}

export type AttachOptions = { onLine: (line: string) => void }
/** `ended` comes also when the container or the engine went away. */
export type AttachedProcess = { say(line: string): void; end(): void; ended: Promise<{ exitCode: number }> }

/**
 * The container engine. Real: dockerode. Errors are MarshlightErrors (DOCKER_UNREACHABLE, IMAGE_MISSING ...).
 * Invariant: it removes nothing that lacks our label. Starting what runs, stopping what stands still and removing what
 * is gone are no errors, so that a step may be done twice.
 */
export interface Engine {
  ping(): Promise<{ version: string; apiVersion: string }>
  hasImage(image: string): Promise<boolean>
  loadImage(archive: string): Promise<void>
  /** What the tag means now; undefined where it means nothing. */
  imageId(image: string): Promise<string | undefined>
  /** The tag means this image from now on, whatever it meant. */
  tagImage(image: string, tag: string): Promise<void>
  /** The tag goes, and the image with its last one; fails where a container is made from it. */
  untagImage(tag: string): Promise<void>
  /** Ours only. */
  containers(): Promise<ObservedContainer[]>
  networks(): Promise<ObservedNetwork[]>
  createMacvlan(spec: NetworkSpec): Promise<void>
  removeNetwork(name: string): Promise<void>
  create(spec: ContainerSpec): Promise<string>
  start(id: string): Promise<void>
  /** SIGTERM, then SIGKILL after the deadline; with a deadline of 0 SIGKILL at once. */
  stop(id: string, deadlineSeconds: number): Promise<void>
  remove(id: string): Promise<void>
  exec(id: string, argv: string[], options?: { timeoutMs?: number }): Promise<{ exitCode: number; output: string }>
  /** Begins a command and stays attached to it: lines in, lines out. The command ends when its input does. */
  attach(id: string, argv: string[], options: AttachOptions): Promise<AttachedProcess>
  /** Ends when the signal does; reconnects by itself, and calls `onReconnect` so that the caller observes anew. */
  watch(onEvent: (event: EngineEvent) => void, onReconnect: () => void, signal: AbortSignal): Promise<void>
}
