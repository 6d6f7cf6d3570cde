import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { isEmpty, makeApplier } from '../../../agent/first-boot/apply.ts'
import { plan, type Seen } from '../../../agent/first-boot/plan.ts'
import { readFileText, usedText } from '../../../agent/first-boot/read-file.ts'
import { rightTime } from '../../../agent/first-boot/right-time.ts'
import { systemFiles } from '../../../agent/first-boot/system-files.ts'
import type { KeptSite } from '../../../agent/kept-site.ts'
import { tempFolder } from '../spool/records.ts'

const body = { id: 'c1', secret: 's3cret', ca: 'a'.repeat(64), exp: '2026-01-02T00:00:00Z', controller: 'c:8884' }
const claim = `ml1.${Buffer.from(JSON.stringify(body)).toString('base64url')}`
const enrolment = {
  marshlight: 1,
  claim,
  controller: '198.18.0.5:8884',
  site: 'hq',
  segment: 'office',
  hostname: 'gate-1',
  network: { address: '198.18.3.10/24', gateway: '198.18.3.1', dns: ['198.18.3.1'], vlans: [{ tag: 20 }] },
  ntp: ['198.18.3.1'],
}
const text = JSON.stringify(enrolment, null, 2)
const read = readFileText(text, 'the card')
if (read.kind !== 'claim') throw new Error('a good file')
const { file, site } = read
const none: Seen = { files: [], agent: undefined, begun: undefined, kept: undefined, changes: { files: new Map() } }
const see = (some: Partial<Seen>) => plan({ ...none, ...some })

t.test('from a file to an agent, one step after the other', async (t) => {
  t.match(see({}), { kind: 'wait', trouble: undefined })
  t.match(see({ files: [read] }), { kind: 'keep', site: { site: 'hq' } })
  const kept = { files: [read], kept: site }
  const changes = { files: new Map([['/run/x', 'y']]) }
  t.match(see({ ...kept, changes }), { kind: 'apply' })
  t.match(see(kept), { kind: 'begin', claimId: 'c1' })
  t.match(see({ ...kept, begun: 'c1' }), { kind: 'claim', claim, controller: '198.18.0.5:8884' })
  t.match(see({ ...kept, begun: 'c1', agent: 'a' }), { kind: 'erase' })
  t.match(see({ kept: site, begun: 'c1', agent: 'a' }), { kind: 'done' })
  t.match(see({ kept: site, agent: 'a', changes }), { kind: 'apply' }, 'at each start')
})

t.test('a box that belongs to somebody takes no other file’s claim or settings', async (t) => {
  t.match(see({ files: [read], agent: 'a', begun: 'another' }), { kind: 'done' })
  t.match(see({ files: [read], agent: 'a' }), { kind: 'done' })
})

t.test('what is left of a used file has no claim, and its settings may be edited', async (t) => {
  const by = { agent: 'a-1', name: 'gate-1', at: '2026-01-01T00:00:00.000Z' }
  const left = usedText(file, by, text.length)
  t.notMatch(left, /ml1|s3cret/)
  const seen = readFileText(left.replace('198.18.3.10', '198.18.3.11'), 'the card')
  t.match(seen, {
    kind: 'used',
    claimed: /claimed by gate-1 at 2026/,
    site: { network: { address: '198.18.3.11/24' } },
  })
  t.match(see({ files: [seen], agent: 'a-1', kept: site }), { kind: 'keep' })
  t.match(see({ files: [seen], agent: 'a-2', kept: site }), { kind: 'done' }, 'another agent’s')
  t.match(see({ files: [seen] }), { kind: 'wait', used: /2026/ })
  t.match(see({ files: [seen], wiped: 'a-2' }), { kind: 'wait', used: /2026/ })
  t.strictSame(see({ files: [seen], wiped: 'a-1' }), { kind: 'wait' }, 'of the box itself, before it was taken back')
  t.match(see({ files: [seen] }), { kind: 'wait', used: /claimed by/ })
  t.match(readFileText(left, ''), { kind: 'used', site }, 'unedited it says the same')
  const short = readFileText(usedText(file, by, 140), '')
  t.match(short, { kind: 'used', agent: 'a-1', site: undefined })
  t.match(see({ files: [short], agent: 'a-1', kept: site }), { kind: 'done' }, 'the settings stay')
  t.equal(usedText(file, by, 20), '')
})

t.test('a bad file is told and left, and its claim not quoted', async (t) => {
  for (const bad of ['', '{', text.slice(0, 200), JSON.stringify({ ...enrolment, netwrok: {} }), `\0${text}`]) {
    const seen = readFileText(bad, 'the USB stick (sda1)')
    t.match(seen, { kind: 'bad', error: { code: 'ENROLMENT_FILE_INVALID', message: /on the USB stick \(sda1\)/ } })
    t.notMatch(JSON.stringify(see({ files: [seen] })), claim.slice(0, 20))
    t.match(see({ files: [seen] }), { kind: 'wait', trouble: { code: 'ENROLMENT_FILE_INVALID' } })
    t.match(see({ files: [seen, read] }), { kind: 'keep' }, 'a good one beside it counts')
  }
  const cut = readFileText(JSON.stringify({ ...enrolment, claim: claim.slice(0, 40) }), '')
  t.match(cut, { kind: 'bad', error: { code: 'TOKEN_INVALID' } })
  t.equal(readFileText(`\uFEFF${text}`, '').kind, 'claim', 'as Windows’ editor saves it')
})

t.test('settings as systemd reads them', async (t) => {
  const of = (some: object, card = 'eth0') => Object.fromEntries(systemFiles({ v: 1, ...some } as KeptSite, card))
  t.same(of({}), {}, 'DHCP is the image’s own')
  const files = Object.fromEntries(systemFiles(site, 'eth0'))
  t.matchStrict(files, {
    '/run/systemd/network/10-marshlight-card.network':
      /^\[Match\]\nName=eth0\n\n\[Network\]\nDHCP=no\nAddress=198\.18\.3\.10\/24\nGateway=198\.18\.3\.1\nDNS=198\.18\.3\.1\nVLAN=vlan20\n/,
    '/run/systemd/network/10-marshlight-vlan20.netdev': /Name=vlan20\nKind=vlan\n\n\[VLAN\]\nId=20\n/,
    '/run/systemd/network/10-marshlight-vlan20.network': /Name=vlan20\n\n\[Network\]\nDHCP=yes\n/,
    '/run/systemd/timesyncd.conf.d/10-marshlight.conf': '[Time]\nNTP=198.18.3.1\n',
  })
  const tagged = {
    network: { address: 'none', dns: [], vlans: [{ tag: 7, address: 'dhcp', dns: [] }], card: 'enp1s0' },
  }
  t.match(of(tagged)['/run/systemd/network/10-marshlight-card.network'], /Name=enp1s0[\s\S]*DHCP=no[\s\S]*VLAN=vlan7/)
})

t.test('whose clock counts', async (t) => {
  const [day, built] = [86_400_000, Date.parse('2026-06-01')]
  const now = built + 100 * day
  const told = { at: now, from: now - day, until: now + day }
  const right = (some: object) => rightTime({ now, built, floor: built, synchronized: false, ...some })
  t.equal(right({ told }), undefined, 'near enough')
  t.equal(right({ now: 0, told }), now, '1970')
  t.equal(right({ now: now + 400 * day, told }), now, 'far ahead')
  t.equal(right({ now: 0 }), built, 'nobody tells: no earlier than the build')
  t.equal(right({ now: now - 9 * day }), undefined, 'nobody tells')
  t.equal(right({ now: now - 9 * day, synchronized: true, told }), undefined, 'a time server goes first')
  t.equal(right({ now: 0, told: { ...told, at: built - day, from: 0 } }), built, 'a controller of before the build')
  t.equal(
    right({ now: 0, told: { ...told, at: told.until + 1 } }),
    built,
    'outside its own certificate: a stolen old one',
  )
  const floor = now + 9 * day
  t.equal(right({ floor, synchronized: true }), undefined, 'signed by a clock ahead: a time server still goes first')
  t.equal(right({ floor, told }), floor, 'a controller of before what it signed')
})

t.test('keys go where the image’s SSH looks for them, and nowhere on another system', async (t) => {
  const root = await tempFolder(t)
  const commands: string[] = []
  const command = async (...words: string[]) => void commands.push(words.join(' '))
  const keys = [`ssh-ed25519 ${'A'.repeat(68)} me`]
  const kept: KeptSite = { v: 1, ssh: { authorizedKeys: keys } }
  const other = makeApplier({ root, command })
  t.ok(isEmpty(await other.changes(kept)), 'whose SSH is its administrator’s')
  mkdirSync(join(root, 'usr/lib/systemd/system'), { recursive: true })
  writeFileSync(join(root, 'usr/lib/systemd/system/marshlight-ssh.service'), '')
  const own = makeApplier({ root, command })
  await own.apply(await own.changes(kept))
  const file = join(root, 'data/ssh/authorized_keys')
  t.equal(readFileSync(file, 'utf8'), `${keys[0]}\n`)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(dirname(file)).mode & 0o777, 0o700)
  t.ok(isEmpty(await own.changes(kept)))
  await own.apply(await own.changes({ v: 1 }))
  t.notOk(existsSync(file))
  t.same(
    commands,
    ['start', 'stop'].map((verb) => `systemctl ${verb} --no-block marshlight-ssh.service`),
  )
})

t.test('a typed code is gone on with where there is no file', async (t) => {
  const typed = { code: 'c', controller: 'x:1' }
  t.match(see({ typed }), { kind: 'claim-typed', ...typed })
  t.match(see({ typed, files: [read], kept: site }), { kind: 'begin' }, 'a file is newer')
  t.match(see({ typed, agent: 'a' }), { kind: 'done' })
})
