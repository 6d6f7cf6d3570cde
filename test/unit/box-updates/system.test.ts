import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { programSlots } from '../../../agent/updates/program-slots.ts'
import { grubEnvironment } from '../../../provisioning/image/layout.ts'
import type { UpdateState } from '../../../shared/schemas/update.ts'
import { tempFolder } from '../spool/records.ts'
import { makeDeath, playAgent } from './agent-played.ts'
import { desiredOf, makeBox, makeRelease } from './box.ts'

const program = join(import.meta.dirname, '../../../provisioning/image/files/slots')
const content = Buffer.from('hsqs the new system')
const file = 'system.squashfs'

/** A box with the image's own program of slots, whose partitions are files; its bootloader does as grub.cfg says. */
async function slotBox(t: Parameters<typeof tempFolder>[0]) {
  const box = await makeBox(await tempFolder(t))
  const at = (...names: string[]) => join(box.folder, ...names)
  for (const name of ['boot/A', 'devices', 'inner']) await mkdir(at(name), { recursive: true })
  await writeFile(at('boot/grubenv'), grubEnvironment())
  for (const name of ['boot/A', 'inner'])
    for (const kernel of ['vmlinuz', 'initrd.img']) await writeFile(at(name, kernel), kernel)
  for (const slot of ['A', 'B']) await writeFile(at(`devices/marshlight-root-${slot}`), Buffer.alloc(65_536))
  await writeFile(at('release'), 'IMAGE_VERSION="1.0.0"\n')
  await writeFile(at('cmdline'), 'marshlight.slot=A\n')
  for (const [name, of] of Object.entries({
    BOOT: 'boot',
    DEVICES: 'devices',
    INNER: 'inner',
    CMDLINE: 'cmdline',
    RELEASE: 'release',
  }))
    process.env[`MARSHLIGHT_SLOTS_${name}`] = at(of)
  const environment = () =>
    Object.fromEntries(
      readFileSync(at('boot/grubenv'), 'utf8')
        .split('\n')
        .map((line) => line.split('=')),
    )
  return {
    ...box,
    environment,
    /** What GRUB does with what it finds; `fails`: the kernel on trial does not come up. */
    restart(fails = false) {
      const { slot, trial, within } = environment()
      writeFileSync(
        at('boot/grubenv'),
        `# GRUB Environment Block\nslot=${slot}\ntrial=\nwithin=${within}\n`.padEnd(1024, '#'),
      )
      const run = trial && !fails ? trial : slot
      writeFileSync(at('cmdline'), `marshlight.slot=${run}${trial && !fails ? ` marshlight.trial=${run}` : ''}\n`)
      // A slot holds its own name.
      writeFileSync(
        at('release'),
        `IMAGE_VERSION="${readFileSync(at(`devices/marshlight-root-${run}`), 'latin1').startsWith('hsqs') ? '2.0.0' : '1.0.0'}"\n`,
      )
    },
    written: () => readFileSync(at('devices/marshlight-root-B')).subarray(0, content.length).equals(content),
  }
}

async function updateSystem(
  t: Parameters<typeof tempFolder>[0],
  how: { unwell?: boolean; fails?: boolean; cutAt?: number },
) {
  const box = await slotBox(t)
  const desired = desiredOf(makeRelease('2.0.0', 3, [{ component: 'system', file, content }]))
  const states: UpdateState[] = []
  let [reboots, changes] = [0, 0]
  let launched = box.start()
  t.teardown(() => launched.cut())
  for (let starts = 0; starts < 8; starts++) {
    const started = await launched.next()
    const real = await programSlots(program)
    if (!real) throw new Error('no slots')
    // Power goes once, before the change of that number.
    const before = changes
    const left = (how.cutAt ?? Number.POSITIVE_INFINITY) - before
    const death = makeDeath(left < 0 ? Number.POSITIVE_INFINITY : left)
    const slots: typeof real = {
      ...real,
      write: (path) => death.change(() => real.write(path)),
      setTrial: (seconds) => death.change(() => real.setTrial(seconds)),
      confirm: () => death.change(() => real.confirm()),
      clearTrial: () => death.change(() => real.clearTrial()),
    }
    const { promise: rebooted, resolve } = Promise.withResolvers<'reboot'>()
    const { promise: told, resolve: tell } = Promise.withResolvers<'over'>()
    const agent = playAgent({
      ...{ box, started, desired, content: { [file]: content }, death, slots },
      look: () => ({
        link: { up: !(how.unwell && slots.booted().slot === 'B'), words: 'no route' },
        rooms: [],
        decoys: [],
      }),
      onState(state) {
        states.push(state)
        if (state.phase === 'confirmed' || (state.phase === 'rolled-back' && slots.booted().slot === 'A')) tell('over')
      },
      reboot: () => resolve('reboot'),
    })
    const begun = await Promise.race([death.dead, agent])
    const ended =
      begun === 'dead'
        ? begun
        : begun.opened.held().settled.length > 0
          ? 'over'
          : await Promise.race([death.dead, rebooted, told, begun.opened.asked])
    // What is under way is brought to its end, and power may go within that, too.
    const stopped =
      begun === 'dead' || ended === 'dead' ? 'dead' : await Promise.race([death.dead, begun.updates.stop()])
    changes += death.changes()
    if (stopped === 'dead' || ended === 'dead') {
      changes = Number.POSITIVE_INFINITY
      await launched.cut()
      box.restart()
      launched = box.start()
      continue
    }
    if (ended === 'over') {
      await launched.cut()
      return { box, states, reboots, slots, changes }
    }
    if (ended === 'reboot') {
      reboots++
      await launched.cut()
      box.restart(how.fails && reboots === 1)
      launched = box.start()
    } else await launched.end(ended.code)
  }
  throw new Error('it came to no end')
}

t.test('a system goes into the other slot, is started once, and stays where it does well', async (t) => {
  const { box, states, reboots, slots } = await updateSystem(t, {})
  t.ok(box.written())
  t.match(states.at(-1), { phase: 'confirmed', running: { slot: 'B', system: '2.0.0' } })
  t.match(box.environment(), { slot: 'B', trial: '' })
  t.equal(reboots, 1)
  t.strictSame(slots.booted(), { slot: 'B', version: '2.0.0' })
})

t.test('one that does not reach the controller is left again, by another start', async (t) => {
  const { box, states, reboots, slots } = await updateSystem(t, { unwell: true })
  t.match(states.at(-1), { phase: 'rolled-back', code: 'UPDATE_UNWELL', reason: /no route/ })
  t.match(box.environment(), { slot: 'A', trial: '' })
  t.equal(reboots, 2)
  t.strictSame(slots.booted(), { slot: 'A', version: '1.0.0' })
})

t.test('one whose kernel does not come up is told', async (t) => {
  const { box, states, reboots } = await updateSystem(t, { fails: true })
  t.match(states.at(-1), { phase: 'rolled-back', reason: /slot B did not start; this is slot A/ })
  t.match(box.environment(), { slot: 'A', trial: '' })
  t.equal(reboots, 1)
})

t.test('power goes before each change of a system’s update: the old system runs or the new one, whole', async (t) => {
  const { changes } = await updateSystem(t, {})
  t.ok(changes > 15, `${changes} changes`)
  const ends = new Set<string>()
  for (let cutAt = 0; cutAt < changes; cutAt++) {
    const { box, states, slots } = await updateSystem(t, { cutAt })
    const { phase } = states.findLast((one) => ['confirmed', 'rolled-back'].includes(one.phase)) ?? {}
    const isNew = slots.booted().slot === 'B'
    t.match(slots.booted(), isNew ? { version: '2.0.0' } : { version: '1.0.0' }, `power went before change ${cutAt}`)
    t.match(box.environment(), { slot: isNew ? 'B' : 'A', trial: '' })
    t.equal(phase, isNew ? 'confirmed' : 'rolled-back', `told what runs, after change ${cutAt}`)
    ends.add(String(phase))
  }
  t.ok(ends.has('confirmed'), 'before its trial a cut costs nothing')
})

t.test('a machine without the program has no slots', async (t) => {
  t.equal(await programSlots(join(await tempFolder(t), 'slots')), undefined)
})
