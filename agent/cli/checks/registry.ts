import { address } from './address.ts'
import { cable } from './cable.ts'
import type { Check } from './check.ts'
import { clock } from './clock.ts'
import { enrolment, reach } from './controller.ts'
import { dhcp } from './dhcp.ts'
import { engine, images } from './engine.ts'
import { gateway } from './gateway.ts'
import { key } from './key.ts'
import { rights, stateFolder, tools } from './machine.ts'
import { names } from './names.ts'
import { pageSharing } from './page-sharing.ts'
import { power, temperature } from './power.ts'
import { storage } from './storage.ts'
import { switchPort } from './switch-port.ts'
import { vlans } from './vlans.ts'

/** In the order in which a technician mends: what may be the cause of others stands before them. */
export const checks: readonly Check[] = [
  rights,
  power,
  temperature,
  storage,
  stateFolder,
  tools,
  cable,
  address,
  gateway,
  dhcp,
  switchPort,
  vlans,
  names,
  clock,
  enrolment,
  key,
  reach,
  engine,
  images,
  pageSharing,
]
