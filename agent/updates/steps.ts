import type { DesiredUpdate, Running, UpdatePhase } from '../../shared/schemas/update.ts'
import type { Current, Held, HeldPart } from './held.ts'
import type { LauncherEnv, LauncherSeen } from './launcher-files.ts'

/** A release that somebody with rights on this box brought along; taken once. */
export type Offline = Omit<DesiredUpdate, 'step' | 'bytesPerSecond'>

/** How things are, at one moment. */
export type Seen = {
  held: Held
  /** Absent: this process was started by no launcher. */
  env?: LauncherEnv
  launcher: LauncherSeen
  running: Running
  /** Bytes that are here of each part, by hash. */
  bytes: Readonly<Record<string, number>>
  /** Why the version that runs cannot be confirmed yet; undefined when it is as well as the one before was. */
  missing?: string
  /** Since when nothing is missing, milliseconds since this process began. */
  wellSince?: number
  offline?: Offline
}

/** What can be done, one each. A step may be done twice without harm. */
export type Step =
  | { do: 'begin'; source: Current['source']; desired: Offline }
  | { do: 'abandon'; because: string }
  | { do: 'fetch'; part: HeldPart; from: number }
  | { do: 'verify'; part: HeldPart }
  | { do: 'enter'; phase: 'fetched' | 'installing' | 'trial' }
  | { do: 'install'; part: HeldPart }
  /** The launcher's trial, the bootloader's where there is a system; then the process ends, or the box starts anew. */
  | { do: 'switch'; name: string }
  | { do: 'confirm' }
  | { do: 'goBack'; reason: string }
  | { do: 'conclude'; phase: UpdatePhase; code?: string; reason?: string }
  | { do: 'forgetOffline' }
  | { do: 'cleanUp'; versions: string[] }
  | { do: 'dropImages'; tags: string[] }

export type Steps = { steps: Step[] }

export type PlanRules = {
  /** Nothing may be missing for so long before the version on trial is confirmed. */
  steadyMs: number
  /** The agent gives up so long before the launcher would: it can say why. */
  marginMs: number
  /** Installing, and switching, are tried so often. */
  attempts: number
}
