import { MarshlightError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { ContainerSpec, Engine, NetworkSpec } from '../engine/port.ts'
import type { Arp } from './arp.ts'
import { writeControl } from './control-files.ts'
import { cleared } from './entry.ts'
import type { makeImageArchives } from './image-archives.ts'
import type { Ledger } from './ledger.ts'
import type { Step } from './steps.ts'

export type ExecuteDeps = {
  engine: Engine
  arp: Arp
  archives: ReturnType<typeof makeImageArchives>
  ledger: Ledger
  /** Folder of all decoys' folders. */
  folder: string
  onControlWritten: (decoy: string, digest: string) => void
  onFilterSet: (decoy: string, egress: string) => void
  log: Log
}

type Executors = { [K in Step['do']]: (step: Extract<Step, { do: K }>) => Promise<unknown> }

/** It ends what hangs. On busy emulated processors, with a decoy's services starting meanwhile, it took more than 45 s. */
const applyTimeoutMs = 180_000

/** Carries out steps: exactly one executor for each kind, held by the type. */
export function makeExecute(deps: ExecuteDeps): (step: Step) => Promise<void> {
  const { engine, arp, ledger, log } = deps
  /** Several decoys may need one network at the same time. */
  const networksInWork = new Map<string, Promise<void>>()

  async function create(spec: ContainerSpec): Promise<void> {
    try {
      await engine.create(spec)
    } catch (error) {
      if (!(error instanceof MarshlightError) || error.code !== 'IMAGE_MISSING') throw error
      if (!(await deps.archives.bring(spec.image))) throw error
      await engine.create(spec)
    }
  }

  async function ensureNetwork(spec: NetworkSpec): Promise<void> {
    const there = (await engine.networks()).find(({ name }) => name === spec.name)
    if (there?.labels['marshlight.spec'] === spec.labels['marshlight.spec']) return
    // Another address or gateway of the card: the pods in it are being made anew as well.
    if (there) await engine.removeNetwork(spec.name)
    await engine.createMacvlan(spec)
  }

  async function applyEgress(pod: string): Promise<void> {
    const { exitCode, output } = await engine.exec(pod, ['marshlight-pod', 'apply'], { timeoutMs: applyTimeoutMs })
    if (exitCode !== 0)
      throw new MarshlightError('COMMAND_FAILED', {
        command: 'marshlight-pod apply',
        why: output.trim().slice(0, 300),
        next: 'The decoy is taken down: without its packet filter it may not run.',
      })
  }

  const executors: Executors = {
    ensureNetwork: ({ spec }) => {
      const inWork = networksInWork.get(spec.name)
      if (inWork) return inWork
      const work = ensureNetwork(spec).finally(() => networksInWork.delete(spec.name))
      networksInWork.set(spec.name, work)
      return work
    },
    checkAddress: async ({ nic, ip }) => {
      const mac = await arp.check(nic, ip)
      if (mac !== undefined) throw new MarshlightError('ADDRESS_TAKEN', { ip, mac })
    },
    writeControl: async ({ decoy, files, digest }) => {
      await writeControl(deps.folder, decoy, files)
      deps.onControlWritten(decoy, digest)
    },
    createPod: ({ spec }) => create(spec),
    createService: ({ spec }) => create(spec),
    startPod: ({ name }) => engine.start(name),
    startService: ({ name }) => engine.start(name),
    applyEgress: async ({ decoy, pod, egress }) => {
      await applyEgress(pod)
      deps.onFilterSet(decoy, egress)
    },
    stopService: ({ name }) => engine.stop(name, 0),
    removeContainer: ({ id }) => engine.remove(id),
    removeNetwork: ({ name }) => engine.removeNetwork(name),
    clear: async ({ decoy }) => {
      const entry = ledger.get(decoy)
      if (entry) await ledger.put(cleared(entry))
    },
    refuse: async ({ code, details }) => {
      throw new MarshlightError(code, details)
    },
  }

  return async (step) => {
    log.debug({ step: step.do, ...('because' in step && { because: step.because, name: step.name }) }, 'step')
    await (executors[step.do] as (step: Step) => Promise<unknown>)(step)
  }
}

/** Runs stages one after another, the steps of one side by side; all of a stage end before its error is thrown. */
export async function runStages(stages: Step[][], execute: (step: Step) => Promise<void>): Promise<void> {
  for (const stage of stages) {
    const results = await Promise.allSettled(stage.map(execute))
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    // A taken address explains whatever else went wrong.
    const first = refusals.find((reason) => reason?.code === 'ADDRESS_TAKEN') ?? refusals[0]
    if (first !== undefined) throw first
  }
}
