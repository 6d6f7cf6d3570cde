import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { PersonaFile } from '../../../shared/schemas/persona.ts'
import { run } from './running.ts'

const file = (path: string, content: string, mode = 0o644): PersonaFile => ({
  ...{ path, content, mode, uid: 0, gid: 0, modifiedAt: '2026-03-01T10:00:00Z' },
})
/** As they lay on the real host when its answers were recorded. */
const files = [
  file('/srv/share/notes.txt', 'first line\nsecond\n'),
  file('/srv/share/plans/2026.csv', 'a;b\n1;2\n'),
  file('/srv/share/secret.txt', 'x', 0o600),
  file('/srv/share/.hidden', 'h'),
  file('/etc/shadow', 'of no share'),
]
const questions = join(import.meta.dirname, '../../lab/smb-questions.py')
const recorded = join(import.meta.dirname, 'recorded/samba-4.17-guest.txt')

t.test('a guest is answered as by Samba 4.17.12 on a share that is read only, and each look is told', async (t) => {
  const settings = { guest: true, shares: 'share=;other=', folders: 'share=/srv/share' }
  const samba = { kind: 'smb', product: 'Samba smbd', version: '4.17.12-Debian', settings } as const
  const running = await run(t, [samba], {}, /^$/, { files })
  const port = running.portOf('smb')
  const told = execFileSync('python3', ['-B', questions, '127.0.0.1', String(port), 'share'], { encoding: 'utf8' })
  t.equal(told, readFileSync(recorded, 'utf8'))
  const events = await running.events()
  const looks = events
    .filter(({ eventid }) => eventid === 'smb.request')
    .map(({ method, url, size }) => [method, url, size])
  for (const look of [
    ['LIST', 'share\\*', undefined],
    ['OPEN', 'share\\secret.txt', undefined],
    ['READ', 'share\\notes.txt', 23],
  ])
    t.ok(
      looks.some((one) => JSON.stringify(one) === JSON.stringify(look)),
      look.join(' '),
    )
  t.match(
    events.find(({ eventid }) => eventid === 'smb.login.success'),
    { username: 'visitor', scheme: 'ntlm', response: '02'.repeat(24) },
    'what a guest proves is kept too',
  )
})

t.test(
  'a share without a folder is listed and lets no guest in, and people of the host need their password',
  async (t) => {
    const settings = { guest: true, shares: 'share=' }
    const users = [{ name: 'visitor', uid: 1000, gid: 1000, gecos: '', home: '/', shell: '/bin/sh', passwords: [] }]
    const samba = { kind: 'smb', product: 'Samba smbd', version: '4.17.12', settings } as const
    const said = async (more: object) => {
      const running = await run(t, [samba], {}, /^$/, more)
      const to = ['-B', questions, '127.0.0.1', String(running.portOf('smb')), 'share']
      return spawnSync('python3', to, { encoding: 'utf8' }).stdout
    }
    t.match(await said({}), /^log-in 0 .*\nshare c0000022 /m)
    t.match(await said({ users }), /^log-in c000006d .*\nshare c0000203 /m)
  },
)
