import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { readHardware } from '../../../agent/enrol/index.ts'
import { makeTakeovers } from '../../../controller/fleet/index.ts'
import { hardware, sameBox } from '../../../shared/schemas/hardware.ts'
import { tempFolder } from '../spool/records.ts'

/** A box as the kernel shows it: files by path. */
async function box(t: Test, files: Record<string, string>) {
  const root = await tempFolder(t)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), `${text}\n`)
  }
  return hardware.parse(await readHardware(root))
}
const card = (name: string, mac: string, assigned = '0') => ({
  [`sys/class/net/${name}/address`]: mac,
  [`sys/class/net/${name}/addr_assign_type`]: assigned,
})
const device = (name: string) => ({ [`sys/class/net/${name}/device/vendor`]: '0x8086' })
const uuid = (text: string) => ({ 'sys/class/dmi/id/product_uuid': text })

t.test('a box is known by its board, not by what a copied card brings along', async (t) => {
  const one = await box(t, { ...uuid('4c4c4544-0042'), ...card('eth0', '02:00:00:00:00:01'), ...device('eth0') })
  const copy = await box(t, { ...uuid('4c4c4544-0099'), ...card('eth0', '02:00:00:00:00:02'), ...device('eth0') })
  t.equal(sameBox(one, copy), false)
  t.equal(sameBox(one, await box(t, uuid('4C4C4544-0042'))), true, 'its network card was changed')
  t.notMatch(JSON.stringify(one), /4c4c4544|02:00/, 'no serial number leaves it')
})

t.test('a Raspberry Pi has its serial number in the device tree', async (t) => {
  const pi = await box(t, { 'proc/device-tree/serial-number': '10000000a1b2c3d4\0' })
  t.equal(sameBox(pi, await box(t, { 'proc/device-tree/serial-number': '10000000a1b2c3d5\0' })), false)
})

t.test('what makers forgot to write is no serial number; then the cards tell', async (t) => {
  for (const forgotten of ['To be filled by O.E.M.', 'Default string', '00000000-0000-0000-0000-000000000000', ' '])
    t.same(await box(t, uuid(forgotten)), { macs: [] }, forgotten)
  const one = await box(t, { ...card('eth0', '02:00:00:00:00:01'), ...device('eth0') })
  const other = await box(t, { ...card('eth0', '02:00:00:00:00:02'), ...device('eth0') })
  t.equal(sameBox(one, other), false)
  t.equal(sameBox(one, one), true)
  const nothing = await box(t, {
    ...card('br0', '02:00:00:00:00:01'),
    ...card('wlan0', '06:00:00:00:00:01', '3'),
    ...device('wlan0'),
  })
  t.same(nothing, { macs: [] }, 'a bridge and a random address say nothing')
  t.equal(sameBox(one, nothing), undefined)
})

t.test('two that push each other out are twins; one that moves, or has two cards, is not', async (t) => {
  const time = { now: 0 }
  const took = makeTakeovers(() => time.now)
  const [a, b] = [{ address: '198.18.0.1' }, { address: '198.18.0.2' }]
  t.equal(took('x', a, b), undefined)
  t.equal(took('x', b, a), undefined)
  t.match(took('x', a, b), { boxes: ['198.18.0.1', '198.18.0.2'] })
  for (let i = 0; i < 9; i++) t.equal(took('flaky', a, a), undefined, 'the same address again')
  const same = { hardware: { board: 'a'.repeat(32), macs: [] } }
  for (const [from, to] of [
    [a, b],
    [b, a],
    [a, b],
    [b, a],
  ] as const)
    t.equal(took('two-cards', { ...from, ...same }, { ...to, ...same }), undefined)
  for (const [from, to] of [
    [a, b],
    [b, a],
    [a, b],
  ] as const) {
    time.now += 6 * 60_000
    t.equal(took('slow', from, to), undefined, 'hardly alternating')
  }
})
