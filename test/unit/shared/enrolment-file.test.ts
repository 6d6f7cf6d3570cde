import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseEnrolmentFile, parseSiteSettings } from '../../../shared/schemas/enrolment-file.ts'

const least = { marshlight: 1, claim: 'ml1.c2VjcmV0', controller: 'c.example:8884', site: 'hq', segment: 'Büro 2' }
const text = (more: object = {}) => JSON.stringify({ ...least, ...more })
const refused = (t: Test, given: string, details: object) =>
  t.match(
    t.throws(() => parseEnrolmentFile(given, 'F'), {
      code: 'ENROLMENT_FILE_INVALID',
      details: { file: 'F', ...details },
    }) as unknown as Error,
    { message: /^F: / },
  )

t.test('what the README shows is one, and so is what Notepad makes of it', async (t) => {
  const readme = await readFile(join(import.meta.dirname, '../../../shared/schemas/README.md'), 'utf8')
  const example = (/```json\n([^`]*)```/.exec(readme)?.[1] ?? '')
    .replace('ml1.eyJpZCI6...', 'ml1.eyJpZCI6')
    .replace('AAAA...', 'AAAA')
  const read = parseEnrolmentFile(`\uFEFF${example.replaceAll('\n', '\r\n')}`, 'F')
  t.match(read, {
    hostname: 'box-07',
    network: { address: '198.18.3.10/24', vlans: [{ tag: 30, address: 'dhcp', dns: [] }] },
  })
  t.strictSame(parseEnrolmentFile(text(), 'F'), least)
})

t.test('what is wrong is told by its place, never the claim', async (t) => {
  refused(t, '', { path: 'the file', why: 'it is empty' })
  refused(t, text().slice(0, -9), { why: /cut off/ })
  refused(t, `${text()}${' '.repeat(65_536)}`, { why: /more than 64 KiB/ })
  refused(t, text({ marshlight: 2 }), { path: 'marshlight', value: '2', why: /later version/ })
  refused(t, text({ sshKeys: [] }), { path: 'sshKeys', why: /no such setting/ })
  refused(t, text({ controller: 'https://c' }), { path: 'controller', value: 'https://c', why: 'HOST:PORT' })
  refused(t, text({ segment: 'a\nb' }), { path: 'segment' })
  refused(t, text({ ntp: ['-x'] }), { path: 'ntp.0' })
  refused(t, text({ proxy: 'http://me:secret@p:1' }), { path: 'proxy' })
  refused(t, text({ statusPageMinutes: 1e9 }), { path: 'statusPageMinutes' })
  const key = 'command="sh" ssh-ed25519 AAAA x'
  refused(t, text({ ssh: { authorizedKeys: [key] } }), { path: 'ssh.authorizedKeys.0', why: /without options/ })
  refused(t, text({ ssh: { authorizedKeys: ['ssh-ed25519 AAAA x\nssh-rsa AAAA'] } }), { path: 'ssh.authorizedKeys.0' })
  for (const bad of [text({ claim: 'ml1.topsecret!' }), `${text({ claim: 'topsecret' })}`, '{"claim":"topsecret'])
    t.notMatch((t.throws(() => parseEnrolmentFile(bad, 'F')) as unknown as Error).message, 'topsecret')
})

t.test('a network that cannot work is refused before the box is on its way', async (t) => {
  const net = (network: object) => text({ network })
  const fixed = { address: '198.18.3.10/24' }
  refused(t, net({ gateway: '198.18.3.1' }), { path: 'network.gateway', why: /fixed address/ })
  refused(t, net({ ...fixed, gateway: '198.18.4.1' }), { path: 'network.gateway', why: /same network/ })
  refused(t, net({ ...fixed, gateway: '198.18.3.10' }), { path: 'network.gateway' })
  refused(t, net({ address: '198.18.3.255/24' }), { path: 'network.address' })
  refused(t, net({ address: '198.18.3.10' }), { path: 'network.address', why: /prefix/ })
  refused(t, net({ vlans: [{ tag: 4095 }] }), { path: 'network.vlans.0.tag' })
  refused(t, net({ vlans: [{ tag: 7 }, { tag: 7 }] }), { path: 'network.vlans', why: /twice/ })
  refused(t, net({ address: 'none' }), { path: 'network.address', why: /VLANs only/ })
  const vlan = { tag: 7, address: '198.18.7.2/31', gateway: '198.18.7.3' }
  refused(t, net({ ...fixed, gateway: '198.18.3.1', vlans: [vlan] }), { path: 'network.vlans', why: /one link/ })
  t.match(parseEnrolmentFile(net({ address: 'none', vlans: [vlan] }), 'F').network, { vlans: [vlan] })
})

t.test('a site has settings and no claim', async (t) => {
  t.strictSame(parseSiteSettings('{ "ntp": ["198.18.0.1"] }', 'S'), { ntp: ['198.18.0.1'] })
  t.throws(() => parseSiteSettings(text(), 'S'), { code: 'ENROLMENT_FILE_INVALID', message: /no such setting/ })
})
