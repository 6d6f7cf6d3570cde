import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { grubEnvironment } from '../../../provisioning/image/layout.ts'

const program = join(import.meta.dirname, '../../../provisioning/image/files/slots')
const slotBytes = 3 * 2 ** 20

/** A box: its boot partition as a folder, its slots as files; GRUB as grub.cfg does it. */
function boxWith(t: Test) {
  const folder = t.testdir({
    boot: { grubenv: grubEnvironment(), A: { vmlinuz: 'old kernel', 'initrd.img': 'old initrd' } },
    devices: { 'marshlight-root-A': 'hsqs old', 'marshlight-root-B': Buffer.alloc(slotBytes).toString() },
    inner: { vmlinuz: 'new kernel', 'initrd.img': 'new initrd' },
    release: 'IMAGE_VERSION="1.2.3"\n',
    cmdline: 'quiet marshlight.slot=A\n',
  })
  const at = (...names: string[]) => join(folder, ...names)
  const environment = () => {
    const text = readFileSync(at('boot/grubenv'), 'utf8')
    return Object.fromEntries(
      text
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split('=') as [string, string]),
    )
  }
  const slots = (...words: string[]) => {
    const env = {
      PATH: process.env.PATH,
      ...{
        MARSHLIGHT_SLOTS_BOOT: at('boot'),
        MARSHLIGHT_SLOTS_DEVICES: at('devices'),
        MARSHLIGHT_SLOTS_INNER: at('inner'),
      },
      ...{ MARSHLIGHT_SLOTS_CMDLINE: at('cmdline'), MARSHLIGHT_SLOTS_RELEASE: at('release') },
    }
    const { status, stdout, stderr } = spawnSync('sh', [program, ...words], { env, encoding: 'utf8' })
    t.equal(statSync(at('boot/grubenv')).size, 1024, 'GRUB reads 1024 bytes')
    return {
      ok: status === 0,
      told: Object.fromEntries(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split('=')),
      ),
      stderr,
    }
  }
  /** What grub.cfg does with what it finds. */
  const restart = () => {
    const { slot = 'A', trial = '', within = '' } = environment()
    const run = trial === '' ? slot : trial
    if (trial !== '')
      writeFileSync(
        at('boot/grubenv'),
        `# GRUB Environment Block\nslot=${slot}\ntrial=\nwithin=${within}\n`.padEnd(1024, '#'),
      )
    writeFileSync(
      at('cmdline'),
      `marshlight.slot=${run}${trial === '' ? '' : ` marshlight.trial=${run} marshlight.within=${within}`}\n`,
    )
  }
  const system = (text: string) => {
    writeFileSync(at('new.squashfs'), text)
    return at('new.squashfs')
  }
  return { at, slots, restart, environment, system }
}

t.test('what is written is started once, and for good where it is confirmed', async (t) => {
  const { at, slots, restart, environment, system } = boxWith(t)
  t.match(slots('show').told, {
    running: 'A',
    confirmed: 'A',
    trial: 'no',
    other: 'B',
    waiting: 'no',
    bytes: `${slotBytes}`,
    version: '1.2.3',
  })
  t.ok(slots('write', system(`hsqs ${'n'.repeat(4096)}`)).ok)
  t.equal(readFileSync(at('devices/marshlight-root-B'), 'utf8').slice(0, 8), 'hsqs nnn')
  t.equal(statSync(at('devices/marshlight-root-B')).size, slotBytes, 'the slot is as large as before')
  t.equal(readFileSync(at('boot/B/vmlinuz'), 'utf8'), 'new kernel')
  t.ok(slots('try', '300').ok)
  t.equal(slots('show').told.waiting, 'yes')
  restart()
  t.match(slots('show').told, { running: 'B', confirmed: 'A', trial: 'yes', other: 'A', waiting: 'no' })
  t.match(readFileSync(at('cmdline'), 'utf8'), 'marshlight.within=300')
  t.match(slots('write', system('hsqs')).stderr, /B is not confirmed yet/, 'what it goes back to is not written over')
  t.match(slots('try').stderr, /not confirmed/)
  t.ok(slots('confirm').ok)
  t.match(slots('show').told, { running: 'B', confirmed: 'B', trial: 'no', other: 'A' })
  restart()
  t.match(slots('show').told, { running: 'B', trial: 'no' })
  t.match(environment(), { slot: 'B', trial: '' })
})

t.test('a trial that nobody confirms is over at the next start', async (t) => {
  const { slots, restart, system } = boxWith(t)
  slots('write', system('hsqs new'))
  slots('try')
  restart()
  t.equal(slots('show').told.trial, 'yes')
  restart()
  t.match(slots('show').told, { running: 'A', confirmed: 'A', trial: 'no' })
  slots('try')
  t.ok(slots('forget').ok)
  restart()
  t.equal(slots('show').told.running, 'A')
})

t.test('what cannot be started is refused, and the running slot stays what is started', async (t) => {
  const { at, slots, environment, system } = boxWith(t)
  t.match(slots('try').stderr, /nothing whole stands in slot B/)
  t.match(slots('write', system('PK')).stderr, /is no squashfs/)
  t.match(slots('write', at('none')).stderr, /is no squashfs/)
  t.match(slots('write', system(`hsqs${'n'.repeat(slotBytes)}`)).stderr, /a slot has 3145728/)
  t.match(slots('try', '5m').stderr, /no number of seconds/)
  t.match(slots('fly').stderr, /There are: show/)
  slots('write', system('hsqs good'))
  slots('try')
  rmSync(at('inner/initrd.img'))
  t.match(slots('write', system('hsqs without initrd')).stderr, /no initrd.img/)
  t.notOk(existsSync(at('boot/B')), 'the kernel of what was there before does not start the new root')
  t.match(environment(), { slot: 'A', trial: '' }, 'and the trial of it is off')
  writeFileSync(at('inner/initrd.img'), 'initrd')
  t.ok(slots('write', system('hsqs good')).ok, 'it is written again where it was cut off')
  writeFileSync(at('cmdline'), 'quiet root=/dev/sda1\n')
  t.match(slots('show').stderr, /not started from a slot/)
})

t.test('a damaged environment of GRUB means slot A, and is whole again after the next word', async (t) => {
  const { at, slots, environment } = boxWith(t)
  for (const text of ['', '\0'.repeat(1024), 'slot=Q\ntrial=;reboot\n']) {
    mkdirSync(at('boot'), { recursive: true })
    writeFileSync(at('boot/grubenv'), text.padEnd(1024, '\0'))
    t.match(slots('show').told, { running: 'A', confirmed: 'A', trial: 'no' })
    t.ok(slots('forget').ok)
    t.match(environment(), { slot: 'A', trial: '' })
  }
})
