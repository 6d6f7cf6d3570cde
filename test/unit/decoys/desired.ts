import { newId } from '../../../shared/ids.ts'
import type { DesiredDecoy, Plan } from '../../../shared/schemas/desired-state.ts'
import type { Persona } from '../../../shared/schemas/persona.ts'
import { plainPlan } from '../../plain-plan.ts'

const personaId = '01920000-0000-7000-8000-000000000001'

export const personaOf = (version: number): Persona => ({
  id: personaId,
  version,
  seed: 'decoys-unit',
  family: 'debian-server',
  hostname: 'attic-nas',
  os: {
    id: 'debian',
    name: 'Debian GNU/Linux',
    version: '12 (bookworm)',
    prettyName: 'Debian GNU/Linux 12 (bookworm)',
    kernel: { name: 'Linux', release: '6.1.0', build: '#1 SMP', machine: 'x86_64', operatingSystem: 'GNU/Linux' },
  },
  hardware: { vendor: 'Dell Inc.', cpuModel: 'i5', cpuMhz: 3000, cores: 6, memoryKb: 8146432 },
  mac: { oui: 'd4:ae:52', vendor: 'Dell Inc.' },
  timezone: 'Europe/Berlin',
  bootedAt: '2026-01-30T04:12:00Z',
  telnet: { banner: '', loginPrompt: 'login: ', passwordPrompt: 'Password: ' },
  issue: '',
  motd: '',
  users: [{ name: 'root', uid: 0, gid: 0, gecos: 'root', home: '/root', shell: '/bin/bash', passwords: [] }],
  processes: [
    {
      user: 'root',
      pid: 1,
      cpu: 0,
      mem: 0.1,
      vsz: 1,
      rss: 1,
      tty: '?',
      stat: 'Ss',
      start: 'Jan30',
      time: '0:01',
      command: '/sbin/init',
    },
  ],
  ttl: 64,
  reasons: [],
})

export const decoyOf = (host: number, more: Partial<DesiredDecoy> = {}): DesiredDecoy => ({
  id: newId(),
  cidr: '198.18.7.0/24',
  ip: `198.18.7.${host}`,
  mac: `d4:ae:52:00:00:${host.toString(16).padStart(2, '0')}`,
  hostname: `host-${host}`,
  persona: personaId,
  personaVersion: 1,
  services: ['cowrie'],
  egress: [],
  limits: { memoryMb: 192, pids: 64, cpus: 1, connections: 64, connectionsPerSource: 16 },
  ...more,
})

const always = { issuedAt: '2026-03-01T00:00:00Z', expiresAt: '2036-03-01T00:00:00Z' }
export const planOf = (agent: string, revision: number, decoys: DesiredDecoy[]): Plan =>
  plainPlan({ agent, revision, decoys, personas: [personaOf(1), personaOf(2)], ...always })
