import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { Card } from '../../../agent/cli/cards.ts'
import { judgeAddress } from '../../../agent/cli/checks/address.ts'
import { judgePlugs } from '../../../agent/cli/checks/cable.ts'
import type { Check, CheckContext } from '../../../agent/cli/checks/check.ts'
import { enrolment, judgeTcp } from '../../../agent/cli/checks/controller.ts'
import { discoverPacket, offerIn } from '../../../agent/cli/checks/dhcp-packet.ts'
import { judgeMissing } from '../../../agent/cli/checks/engine.ts'
import { examine } from '../../../agent/cli/checks/examine.ts'
import { judgePage } from '../../../agent/cli/checks/login-page.ts'
import { stateFolder } from '../../../agent/cli/checks/machine.ts'
import { judgeNames } from '../../../agent/cli/checks/names.ts'
import { power, temperature } from '../../../agent/cli/checks/power.ts'
import { mountOf, smartFailing, storage } from '../../../agent/cli/checks/storage.ts'
import { anyOf } from '../../../agent/cli/checks/switch-port.ts'
import { judgeVlans, ownVlans, vlansIn } from '../../../agent/cli/checks/vlans.ts'
import { shown } from '../../../agent/cli/doctor.ts'
import { agentConfig } from '../../../agent/config.ts'
import { systemClock } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { tempFolder } from '../spool/records.ts'

async function contextOf(t: Test, files: Record<string, string>): Promise<CheckContext> {
  const root = await tempFolder(t)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), `${text}\n`)
  }
  const config = agentConfig.parse({})
  const clock = { ...systemClock, sleep: async () => undefined }
  return { stateDir: '/var/lib/x', config, clock, role: 'decoys', identity: undefined, root }
}
const signal = new AbortController().signal

t.test('a Raspberry Pi’s alarm and heat, as its kernel tells them', async (t) => {
  const volt = (alarm: string) => ({
    'sys/class/hwmon/hwmon1/name': 'rpi_volt',
    'sys/class/hwmon/hwmon1/in0_lcrit_alarm': alarm,
  })
  t.match(await power.run(await contextOf(t, volt('1')), signal), { ok: false, detail: /too weak/, next: /supply/ })
  t.match(await power.run(await contextOf(t, volt('0')), signal), { ok: true })
  t.match(await power.run(await contextOf(t, {}), signal), { ok: true, detail: /does not watch/, next: undefined })
  const pi = { 'proc/device-tree/model': 'Raspberry Pi 4 Model B Rev 1.5\0' }
  t.match(await power.run(await contextOf(t, pi), signal), { ok: true, next: /made for this box/ }, 'a note')
  t.match(await power.run(await contextOf(t, { ...pi, ...volt('0') }), signal), { ok: true, next: undefined })
  const heat = (value: string) => ({ 'sys/class/thermal/thermal_zone0/temp': value })
  t.match(await temperature.run(await contextOf(t, heat('48312')), signal), { ok: true, detail: '48 °C' })
  t.match(await temperature.run(await contextOf(t, heat('78000')), signal), { ok: true, next: /air/ })
  t.match(await temperature.run(await contextOf(t, heat('84500')), signal), { ok: false, next: /air/ })
  t.match(await temperature.run(await contextOf(t, heat('-273000')), signal), { ok: true, detail: /tells none/ })
})

t.test('a card that wears out, was stopped from writing to, or has errors', async (t) => {
  const mmc = (life: string, reserve: string, errors = '0', mount = 'rw') => ({
    'sys/block/mmcblk0/device/life_time': life,
    'sys/block/mmcblk0/device/pre_eol_info': reserve,
    'sys/fs/ext4/mmcblk0p2/errors_count': errors,
    'sys/fs/ext4/features/lazy_itable_init': 'supported',
    'proc/self/mounts': `overlay / overlay ro 0 0\n/dev/mmcblk0p2 /var ext4 ${mount},noatime 0 0`,
  })
  const look = async (...how: Parameters<typeof mmc>) => storage.run(await contextOf(t, mmc(...how)), signal)
  t.match(await look('0x01 0x02', '0x01'), { ok: true, detail: 'mmcblk0 is well, up to 20 % worn', next: undefined })
  t.match(await look('0x09 0x02', '0x01'), { ok: true, detail: /nearly worn out/, next: /soon/ })
  t.match(await look('0x01 0x02', '0x02'), { ok: true, next: /soon/ })
  t.match(await look('0x0b 0x02', '0x01'), { ok: false, detail: /worn out/ })
  t.match(await look('0x01 0x01', '0x03'), { ok: false, detail: /worn out/ })
  t.match(await look('0x01 0x01', '0x01', '4'), { ok: false, detail: /^4 errors.*mmcblk0;/ })
  t.match(await look('0x01 0x01', '0x01', '0', 'ro'), { ok: false, detail: /mmcblk0p2 can be read only/ })
  t.match(mountOf('/dev/a / ext4 rw 0 0\n/dev/b /my\\040data ext4 ro 0 0', '/my data/x'), { device: '/dev/b' })
  t.equal(mountOf('/dev/a / ext4 rw 0 0\n/dev/b /var/lib/xy ext4 ro 0 0', '/var/lib/x')?.device, '/dev/a')
  t.equal(smartFailing('{"smart_status":{"passed":false}}'), true)
  t.equal(smartFailing('{"smart_status":{"passed":true}}'), false)
  t.equal(smartFailing('not JSON'), false)
})

t.test('cards, addresses and what shares the line', async (t) => {
  const plug = { name: 'eth0', up: true, signal: true, wireless: false, half: false }
  t.match(judgePlugs([{ ...plug, mbit: 10 }], []), { ok: true, next: /cable/ })
  t.match(judgePlugs([{ ...plug, wireless: true }], []), { ok: true, next: /cable/ })
  t.match(judgePlugs([plug, { ...plug, name: 'eth1', signal: false }], []), { ok: true, next: undefined })
  t.match(judgePlugs([plug, { ...plug, name: 'eth1', signal: false }], ['eth0', 'eth1']), { ok: false })
  t.match(judgePlugs([plug], ['eth7']), { ok: false, detail: /no network card eth7/ })
  const card: Card = { name: 'eth0', ip: '169.254.7.7', mac: '02:00:00:00:00:01', cidr: '169.254.0.0/16' }
  t.match(judgeAddress(card, []), { ok: false, next: /DHCP/ })
  t.same(vlansIn('a > b, vlan 20, p 0, ethertype IPv4\nvlan 0, p 5\nvlan 7, p 0, vlan 20, p 1'), [7, 20])
  t.match(
    judgeVlans(
      'eth0',
      Array.from({ length: 40 }, (_, at) => at + 1),
      [],
    ),
    { detail: /and 28 more/ },
  )
  // As net/8021q/vlanproc.c of Linux prints it.
  const table =
    'VLAN Dev name\t | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\nvlan20         | 20  | eth0\n'
  t.same(ownVlans(table), [{ name: 'vlan20', tag: 20, on: 'eth0' }])
  t.match(judgeVlans('eth0', [20], [20]), { ok: true, detail: /VLAN 20, which this box watches/, next: undefined })
  t.match(judgeVlans('eth0', [20, 30], [20]), { detail: /\(VLAN 30\), which this box does not/, next: /untagged/ })
  t.equal(
    anyOf('198.18.0.0/30', () => 0),
    '198.18.0.2',
  )
  t.equal(
    anyOf('198.18.0.0/24', () => 0.999),
    '198.18.0.254',
  )
  t.equal(
    anyOf('198.18.0.0/31', () => 0),
    undefined,
  )
})

t.test('offers that are cut, foreign or to another’s question are none', async (t) => {
  const question = discoverPacket('02:00:00:00:00:01', 0xfedcba98)
  const answer = Buffer.concat([Buffer.alloc(42), question])
  answer.set([8, 0, 0x45], 12)
  answer[23] = 17
  answer.writeUInt16BE(67, 34)
  answer.writeUInt16BE(question.length + 8, 38)
  answer[42] = 2
  answer.set([53, 1, 2, 54, 4, 198, 18, 0, 1, 3, 4, 198, 18, 0, 1, 255], 42 + 240)
  t.match(offerIn(answer, 0xfedcba98), { server: '198.18.0.1', router: '198.18.0.1', offered: '0.0.0.0' })
  t.equal(offerIn(answer, 1), undefined)
  t.equal(offerIn(Buffer.concat([Buffer.alloc(42), question]), 0xfedcba98), undefined)
  for (let length = 0; length < 42 + 243; length++)
    if (offerIn(answer.subarray(0, length), 0xfedcba98)) t.fail(`cut at ${length}`)
})

t.test('pages and names that stand in for others', async (t) => {
  t.equal(judgePage('ctl.example', 80, 302, 'https://ctl.example/'), undefined)
  t.equal(judgePage('ctl.example', 80, 302, 'http://hotel.example/in?x'), 'http://hotel.example')
  t.equal(judgePage('ctl.example', 80, 511, undefined), 'ctl.example')
  t.equal(judgePage('ctl.example', 80, 200, undefined), undefined)
  t.equal(judgePage('ctl.example', 8883, 200, 'http://['), 'ctl.example')
  t.match(judgeTcp('ctl.example:8883', 'ETIMEDOUT', undefined), { step: 'TCP', next: /firewall/ })
  t.match(judgeTcp('ctl.example:8883', 'ENETUNREACH', undefined), { step: 'TCP', next: /gateway/ })
  const server = { server: '198.18.0.53', silent: false, madeUp: [], found: ['198.18.0.2'] }
  const dead = { server: '198.18.0.54', silent: true, madeUp: [] }
  t.match(judgeNames('ctl.example', [server, dead], ['198.18.0.2']), {
    ok: true,
    detail: /\.54 does not/,
    next: undefined,
  })
  t.match(judgeNames('ctl.example', [dead], ['198.18.0.2']), { ok: true, next: /name server/ }, 'of its list of hosts')
  t.match(judgeNames(undefined, [dead], []), { ok: true, next: /name server/ })
  const cut = { ...server, found: [], unable: 'ESERVFAIL' }
  t.match(judgeNames('ctl.example', [cut], []), { ok: false, detail: /cannot find out/, next: /way out/ })
  t.match(judgeNames('ctl.example', [{ ...server, found: ['0.0.0.0'] }], ['0.0.0.0']), { ok: false, detail: /nowhere/ })
})

t.test('what hangs is ended at its time, and what failed through another points to the first cause', async (t) => {
  const says = (name: string, ok: boolean, rests: string[] = []): Check => ({
    name,
    rests,
    withinMs: 1000,
    run: async () => ({ ok, detail: name, next: 'do' }),
  })
  let ended = false
  const hangs: Check = {
    name: 'hangs',
    withinMs: 10,
    run: (_, signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => {
          ended = true
        })
      }),
  }
  const list = [
    says('a', false),
    says('b', false, ['a']),
    says('c', false, ['b']),
    says('d', true, ['a']),
    says('e', true),
    hangs,
  ]
  t.match(await examine(list, await contextOf(t, {})), [
    { name: 'a', follows: undefined, next: 'do' },
    { follows: 'a', next: undefined },
    { follows: 'a' },
    { ok: true, follows: 'a', next: undefined },
    { ok: true, follows: undefined, next: 'do' },
    { ok: false, detail: /within 0.01 s/ },
  ])
  t.ok(ended)
})

t.test('every line fits a terminal of 80 columns, and nothing from outside moves its cursor', async (t) => {
  const text = shown({
    name: 'controller',
    ok: false,
    detail: `\u001b[2J${'word '.repeat(40)}${'x'.repeat(200)}`,
    next: 'y '.repeat(90),
  })
  t.ok(text.split('\n').every((line) => line.length <= 80))
  t.notMatch(text, '\u001b')
  t.match(text, /^FAIL {2}controller/)
})

t.test('a state folder that is full to the last byte is no question of how it is mounted', async (t) => {
  const stateDir = await tempFolder(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', stateDir])
  t.teardown(() => void execFileSync('umount', ['-l', stateDir]))
  const context = { ...(await contextOf(t, {})), stateDir }
  t.match(await stateFolder.run(context, signal), { ok: false, detail: /^only 0 MB free/, next: /free some space/ })
  try {
    writeFileSync(join(stateDir, 'filler'), Buffer.alloc(16 << 10))
  } catch {}
  t.match(await stateFolder.run(context, signal), { ok: false, detail: /^no space is left/, next: /free some space/ })
})

t.test('images that find no room on their card ask for a larger one', async (t) => {
  const of = {
    some: false,
    missing: ['marshlight/pod:1', 'marshlight/web:1'],
    folder: '/usr/share/images',
    archives: ['decoys.tar'],
  }
  const room = { ...of, bytes: 700 << 20, free: 900 << 20 }
  t.match(judgeMissing(room), { ok: true, detail: /pod:1, .* will be loaded from .*decoys\.tar/ })
  const tight = judgeMissing({ ...room, free: 300 << 20 })
  t.match(tight, { ok: false, detail: /no room .* 700 MB, 300 MB are free/, next: /larger card/ })
  const shared = judgeMissing({ ...room, some: true, free: 300 << 20 })
  t.match(shared, { ok: true, detail: /700 MB, 300 MB are free/, next: /again/ }, 'its layers may be there')
  t.match(judgeMissing({ ...room, archives: [] }), { ok: false, next: /a release/ })
})

t.test('a box whose TPM does not answer is told as that, not as one that belongs to nobody', async (t) => {
  const shut = new MarshlightError('TPM_FAILED', { what: 'tpm2_load', why: 'no answer within 30 s' })
  const told = await enrolment.run({ ...(await contextOf(t, {})), shut }, signal)
  t.match(told, { ok: false, detail: /TPM of this box failed/, next: /tried again/ })
})
