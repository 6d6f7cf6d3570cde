import type { Probe } from './ssh-probe.ts'
import { identificationProbes } from './ssh-probes-greeting.ts'
import { logInProbes } from './ssh-probes-log-in.ts'
import { packetProbes } from './ssh-probes-packets.ts'
import { opensshProbes, programProbes } from './ssh-probes-programs.ts'
import { sessionProbes } from './ssh-probes-session.ts'

/** What is done to a server, each on a connection of its own: what any answers in one way only. */
export const sshProbes: readonly Probe[] = [
  ...identificationProbes,
  ...packetProbes,
  ...logInProbes,
  ...sessionProbes,
  ...programProbes,
]

export const allOpensshProbes: readonly Probe[] = [...sshProbes, ...opensshProbes]
