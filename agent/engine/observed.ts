import { z } from 'zod'
import type { EngineEvent, ObservedContainer, ObservedNetwork } from './port.ts'

/** The engine is outside: what it answers is validated here, and only what we use is kept. */

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {})
const filled = z
  .string()
  .nullish()
  .transform((value) => (value ? value : undefined))

/** The engine's way to say "never". */
const never = '0001-01-01T00:00:00Z'
const moment = filled.transform((value) => (value === never ? undefined : value))

const endpoint = z.object({
  IPAddress: filled,
  MacAddress: filled,
  IPAMConfig: z.object({ IPv4Address: filled }).nullish(),
})

const inspection = z.object({
  Id: z.string(),
  Name: z.string(),
  Config: z.object({ Image: z.string(), Labels: labels, MacAddress: filled }),
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    ExitCode: z.number(),
    StartedAt: moment,
    FinishedAt: moment,
    Pid: z.number(),
  }),
  NetworkSettings: z.object({ Networks: z.record(z.string(), endpoint).nullish() }),
})

const network = z.object({
  Id: z.string(),
  Name: z.string(),
  Labels: labels,
  IPAM: z.object({ Config: z.array(z.object({ Subnet: filled })).nullish() }).nullish(),
  Options: z.record(z.string(), z.string()).nullish(),
})

const event = z.object({
  Action: z.enum(['start', 'die', 'destroy', 'oom']),
  Actor: z.object({ ID: z.string(), Attributes: labels }),
})

export function observedContainer(answer: unknown): ObservedContainer {
  const { Id, Name, Config, State, NetworkSettings } = inspection.parse(answer)
  const first = Object.values(NetworkSettings.Networks ?? {})[0]
  const ip = first?.IPAddress ?? first?.IPAMConfig?.IPv4Address
  const mac = first?.MacAddress ?? Config.MacAddress
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    image: Config.Image,
    running: State.Running,
    labels: Config.Labels,
    ...(!State.Running && State.StartedAt !== undefined && { exitCode: State.ExitCode }),
    ...(State.StartedAt !== undefined && { startedAt: State.StartedAt }),
    ...(State.FinishedAt !== undefined && { finishedAt: State.FinishedAt }),
    ...(ip !== undefined && { ip }),
    ...(mac !== undefined && { mac }),
    ...(State.Pid > 0 && { pid: State.Pid }),
  }
}

export function observedNetwork(answer: unknown): ObservedNetwork {
  const { Id, Name, Labels, IPAM, Options } = network.parse(answer)
  const cidr = IPAM?.Config?.[0]?.Subnet
  const parent = Options?.parent
  return { id: Id, name: Name, labels: Labels, ...(cidr && { cidr }), ...(parent && { parent }) }
}

/** One line of the engine's event stream, or undefined for one that does not concern us. */
export function observedEvent(line: string): EngineEvent | undefined {
  const parsed = event.safeParse(safeJson(line))
  if (!parsed.success) return undefined
  const { Action, Actor } = parsed.data
  const { exitCode, ...rest } = Actor.Attributes
  return {
    kind: Action,
    container: Actor.ID,
    labels: rest,
    ...(exitCode !== undefined && { exitCode: Number(exitCode) }),
  }
}

function safeJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
