import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cardLayout } from '../../../provisioning/image/card.ts'
import { layout } from '../../../provisioning/image/layout.ts'

const read = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../provisioning/image/files', name), 'utf8')

/** The image's program for a stick with these files; `agent` is what the played agent does. `fits`: its file system. */
function plugIn(t: Test, o: { files: string[]; agent: string; fits?: string }) {
  const folder = t.testdir({})
  const script = read('stick').replaceAll('/run/marshlight', `${folder}/run`)
  const noted = (name: string) => `echo "${name} $*" >> ${folder}/asked`
  const files = o.files.map((name) => `: > "$at/${name}"`).join('\n')
  for (const [name, does] of [
    ['mount', `${noted('mount')}\n[ "$2" = ${o.fits ?? 'vfat'} ] || exit 32\nfor at; do :; done\n${files}`],
    // What was seen of the stick is gone.
    ['umount', `${noted('umount')}\nrm -f "$1"/*`],
    ['marshlight-agent', `${noted('agent')}\n${o.agent}`],
  ] as const) {
    mkdirSync(join(folder, 'bin'), { recursive: true })
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${does}\n`, { mode: 0o755 })
  }
  const env = { PATH: `${folder}/bin:${process.env.PATH}` }
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'stick', 'sdb1'], { env, encoding: 'utf8' })
  const text = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '')
  const asked = text('asked').replaceAll(folder, '').split('\n').filter(Boolean)
  return { status, stdout, stderr, asked, shown: text('run/stick'), left: existsSync(join(folder, 'run/stick-sdb1')) }
}

t.test('the newest release on a stick is given to the agent, read-only, and the stick is let go', async (t) => {
  const files = ['marshlight-release-1.9.0.tar', 'Marshlight-Release-1.10.0.tar', 'holiday.tar']
  const taken = plugIn(t, { files, agent: 'echo "This box runs release 1.10.0."' })
  t.equal(taken.status, 0)
  t.same(taken.asked, [
    'mount -t vfat -o ro,nosuid,nodev,noexec /dev/sdb1 /run/stick-sdb1',
    'agent update --once --from /run/stick-sdb1/Marshlight-Release-1.10.0.tar',
    'umount /run/stick-sdb1',
  ])
  t.equal(taken.shown, 'Marshlight-Release-1.10.0.tar: This box runs release 1.10.0.\n')
  t.notOk(taken.left)
})

t.test('what is refused is shown with the next step', async (t) => {
  const files = ['marshlight-release-2.tar']
  const altered = 'echo "agent 2: copied ..." >&2; echo "error: it was altered [X]\n  -> Bring another." >&2; exit 1'
  const { status, shown, stderr } = plugIn(t, { files, agent: altered })
  t.equal(status, 1)
  t.match(shown, /^marshlight-release-2\.tar was not taken: error: it was altered \[X\] -> Bring another\.\s*$/)
  t.match(stderr, /copied/, 'the journal has all of it')
  t.match(plugIn(t, { files, agent: 'echo "2: refused: older"; exit 1' }).shown, /was not taken: 2: refused: older$/m)
})

t.test('a stick for something else is left alone; one of ext4 is not even replayed', async (t) => {
  const other = plugIn(t, { files: ['marshlight-enrol.json'], agent: 'exit 1', fits: 'ext4' })
  t.equal(other.status, 0)
  t.match(other.asked.at(-2), /-t ext4 -o ro,nosuid,nodev,noexec,noload /)
  t.match(other.asked.at(-1), /^umount/)
  t.equal(other.shown, '')
  t.match(plugIn(t, { files: [], agent: '', fits: 'none' }), { status: 1, shown: /^sdb1 cannot be read/ })
})

t.test('what a stick calls its files moves no cursor and sets no colour', (t) => {
  const files = ['marshlight-release-\u001b[2J\u009b2J\u0007\\033[31m\\c.tar']
  // Some file systems take any bytes: a control of one byte, and one that shows when another was taken out of it.
  const odd = '\\033[1m echo\\233 of\\302\\302\\233\\233 it’s'
  const taken = plugIn(t, { files, agent: `printf "an${odd}"` })
  const refused = plugIn(t, { files, agent: `printf "error: an${odd}" >&2; exit 1` })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufffd]/
  for (const { stdout, stderr, shown } of [taken, refused]) t.notMatch(`${stdout}${stderr}${shown}`, controls)
  t.equal(taken.shown, 'marshlight-release-[2J2J\\033[31m\\c.tar: an[1m echo of it’s\n', 'and a backslash is one')
  t.match(refused.stderr, 'error: an[1m echo of it’s')
  t.end()
})

t.test('no partition of an image is taken for a stick', async (t) => {
  const [, own] = /ENV\{ID_PART_ENTRY_UUID\}!="(.*)\*"/.exec(read('stick.rules')) ?? []
  for (const { uuid } of [...layout(1), ...cardLayout(1)]) t.ok(uuid.startsWith(own ?? '-'), uuid)
})
