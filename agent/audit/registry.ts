import type { Probe } from './look.ts'
import { arp } from './probes/arp.ts'
import { hardware } from './probes/hardware.ts'
import { names } from './probes/names.ts'
import { packets } from './probes/packets.ts'
import { safety } from './probes/safety.ts'
import { services } from './probes/services.ts'
import { session } from './probes/session.ts'
import { sshAlgorithms } from './probes/ssh-algorithms.ts'
import { sshAuth } from './probes/ssh-auth.ts'
import { sshCompany, sshIdentification } from './probes/ssh-identification.ts'
import { sshOdd } from './probes/ssh-odd.ts'
import { system } from './probes/system.ts'
import { telnet } from './probes/telnet.ts'
import { timing } from './probes/timing.ts'

/** All probes, in the order they look: what is quiet first, times before anything that makes noise. */
export const probes: readonly Probe[] = [
  arp,
  timing,
  packets,
  sshIdentification,
  sshCompany,
  sshAlgorithms,
  sshOdd,
  telnet,
  services,
  system,
  hardware,
  names,
  sshAuth,
  session,
  safety,
]
