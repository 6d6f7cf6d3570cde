import { readCatalogue } from '../../controller/personas/catalogue.ts'
import type { PersonaSsh } from '../../shared/schemas/persona.ts'
import { personaOf } from '../lab/cowrie-persona.ts'
import { Lab, type Status } from '../lab/cowrie-pod.ts'
import { offerOf } from './ssh-agreement.ts'
import { openssh, realPassword, type Scope, type Software, startRealHost } from './ssh-hosts.ts'
import type { Target } from './ssh-transcript.ts'

export type SideBySide = { lab: Lab; real: Target; decoy: Target; ssh: PersonaSsh; status: Status }

/** A real server, and a decoy on the same network that plays it: its banner, and what the catalogue knows to go with that. */
export async function startSideBySide(t: Scope, software: Software = openssh): Promise<SideBySide> {
  const some = personaOf('db-srv-02', 1)
  const kind = software.algorithms(readCatalogue(), software.firstBanner)
  if (!kind) throw new Error(`the catalogue does not know ${software.firstBanner}`)
  const maxAuthTries = software.maxAuthTries
  const first = { ...some, ssh: { banner: software.firstBanner, ...kind, maxAuthTries } }
  const lab = await Lab.start(t, first)
  const { real, motd } = await startRealHost(t, lab, software)
  const decoy = { host: lab.decoy, port: 22, user: 'root', password: realPassword }
  const { banner } = await offerOf(real)
  const algorithms = software.algorithms(readCatalogue(), banner)
  if (!algorithms) throw new Error(`the catalogue does not know the algorithms of ${banner}`)
  const ssh: PersonaSsh = { banner, ...algorithms, maxAuthTries }
  await lab.control('persona.json', { ...first, version: 2, motd, ssh })
  const status = await lab.status(({ personaVersion }) => personaVersion === 2, 'the persona of the real host')
  return { lab, real, decoy, ssh, status }
}
