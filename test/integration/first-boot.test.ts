import { execFileSync, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { clockCommand, raiseOwnClock } from '../../agent/cli/own-clock.ts'
import { viewOf } from '../../agent/console/state.ts'
import { loadIdentity } from '../../agent/enrol/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'
import { type Box, boot, cardHas, makeBox, onCard, put } from './first-boot-box.ts'

const dayMs = 86_400_000
const card = { name: 'eth0', signal: true, address: '198.18.3.10' }

async function world(t: Test, settings: object = {}) {
  const { dataDir, ports } = await enrolledBefore(t, 0, [], settings)
  const { api, deps } = await serving(t, dataDir)
  const invite = async () => {
    const body = { segment: 'office', site: 'hq' }
    const { items } = await api.post<{ items: { token: string }[] }>('/v1/agents/invite', body)
    const claim = items[0]?.token ?? ''
    const controller = `127.0.0.1:${ports.enrol}`
    const network = { card: 'eth0', address: '198.18.3.10/24', gateway: '198.18.3.1' }
    const file = { marshlight: 1, claim, controller, site: 'hq', segment: 'office', hostname: 'gate-1', network }
    return { claim, file, text: JSON.stringify(file, null, 2) }
  }
  const agents = async () => (await api.get<{ items: unknown[] }>('/v1/agents')).items.length
  return { api, deps, ports, invite, agents }
}

async function isWhole(t: Test, box: Box, claim: string, what: string) {
  const { agent } = await loadIdentity(box.stateDir)
  const left = JSON.parse(onCard(box))
  t.match(left, { marshlight: 1, agent, claimed: /claimed by .* at 20/, site: 'hq' }, `${what}: a note is left`)
  t.notOk(cardHas(box, claim.slice(4, 60)), `${what}: the claim is nowhere on the card`)
  const network = join(box.root, 'run/systemd/network/10-marshlight-card.network')
  t.match(readFileSync(network, 'utf8'), /Address=198\.18\.3\.10\/24/)
  t.equal(readFileSync(join(box.root, 'proc/sys/kernel/hostname'), 'utf8'), 'gate-1')
}

t.test('power goes at each point in turn: the box is claimed once, and nothing of the claim is left', async (t) => {
  const { invite, agents } = await world(t)
  for (let n = 1; ; n++) {
    const { claim, text } = await invite()
    const box = makeBox(await tempFolder(t), text)
    let points = 0
    const died = Promise.withResolvers<'died'>()
    const at = async () => {
      if (++points !== n) return
      died.resolve('died')
      await new Promise(() => {})
    }
    const first = await Promise.race([boot(box, { at }).ended, died.promise])
    const again = boot(box)
    await again.ended
    await isWhole(t, box, claim, `death at ${n}`)
    t.ok(again.commands.includes('networkctl reload'), 'networkd is told at each start')
    t.equal(await agents(), n)
    if (first === undefined) break
    t.ok(n < 40)
  }
})

t.test('kill -9 again and again, one step further each time', async (t) => {
  const { invite, agents } = await world(t)
  const { claim, text } = await invite()
  const box = makeBox(await tempFolder(t), text)
  const runner = join(import.meta.dirname, 'first-boot-runner.ts')
  let kills = 0
  for (; ; kills++) {
    const child = spawn(process.execPath, [runner, JSON.stringify({ box, lives: kills * 3 })], { stdio: 'inherit' })
    const [code, signal] = await once(child, 'exit')
    if (signal === null) {
      t.equal(code, 0)
      break
    }
    t.equal(signal, 'SIGKILL')
    t.ok(kills < 20)
  }
  t.ok(kills > 2, `${kills} kills`)
  await isWhole(t, box, claim, 'after all of them')
  t.equal(await agents(), 1)
})

t.test('no file, a bad one, one that was used, then a good one: each is told, none is removed', async (t) => {
  const { invite, agents } = await world(t)
  const { text, file } = await invite()
  const box = makeBox(await tempFolder(t))
  const files = [text.slice(0, 100), JSON.stringify({ ...file, claim: `${file.claim}x`, colour: 'red' }), text]
  let next = 0
  const sleep = async () => {
    const before = files[next - 1]
    if (before !== undefined) t.equal(onCard(box), before, 'what cannot be used stays as it is')
    put(box, files[next++] ?? '')
  }
  const { ended, told } = boot(box, { clock: { now: Date.now, sleep } })
  await ended
  t.match(told[0], { waitsForFile: true, trouble: undefined })
  t.match(told[1], { waitsForFile: true, trouble: { message: /cut off/, next: /new one made/ } })
  t.match(told[2], { waitsForFile: true, trouble: { message: /colour is .*no such setting/ } })
  t.notMatch(JSON.stringify(told), file.claim.slice(4, 40))
  t.equal(await agents(), 1)

  const second = makeBox(await tempFolder(t), text)
  const over = new AbortController()
  const halt = async () => over.abort(new Error('seen enough'))
  const another = boot(second, { clock: { now: Date.now, sleep: halt }, signal: over.signal })
  await t.rejects(another.ended, { message: 'seen enough' })
  const refused = another.told.at(-1)
  t.match(refused, { trouble: { code: 'TOKEN_USED', message: /used already/ } })
  const shown = viewOf({ version: '1', card, trouble: refused?.trouble })
  t.match(shown, { state: 'no-file', title: /was found, and does not take this file/ })
  t.equal(onCard(second), text)
})

t.test('a clock of 1970 and one of years ahead are set by the controller, and the claim goes through', async (t) => {
  const { invite, agents } = await world(t)
  for (const offset of [-Date.now(), 3000 * dayMs]) {
    const { text } = await invite()
    const box = makeBox(await tempFolder(t), text)
    let ahead = offset
    const set: number[] = []
    const setClock = async (ms: number) => {
      set.push(ms)
      ahead = ms - Date.now()
    }
    await boot(box, { clock: { now: () => Date.now() + ahead, sleep: systemClock.sleep }, setClock }).ended
    t.equal(set.length, 1)
    t.ok(Math.abs((set[0] ?? 0) - Date.now()) < 60_000)
  }
  t.equal(await agents(), 2)
})

t.test('so are those of a box that is enrolled: first to what it holds, then to the controller’s', async (t) => {
  const { dataDir, states } = await enrolledBefore(t, 0, ['gate-1'])
  const [stateDir = ''] = states
  const { validFrom } = new X509Certificate((await loadIdentity(stateDir)).certificate)
  const boxAt = (now: number) => {
    let ahead = now - Date.now()
    const set: number[] = []
    const setClock = async (ms: number) => {
      set.push(ms)
      ahead = ms - Date.now()
    }
    // Without a controller the hour is over at once.
    const clock = { now: () => Date.now() + ahead, sleep: async () => undefined }
    return { set, stateDir, clock, random: Math.random, time: { setClock, isSynchronized: async () => false } }
  }
  const old = boxAt(0)
  await raiseOwnClock({ ...old, log: silentLog })
  t.equal(old.set.length, 1)
  t.ok((old.set[0] ?? 0) >= Date.parse(validFrom) && (old.set[0] ?? 0) <= Date.now(), 'it knows when it was enrolled')
  t.equal(await clockCommand({ ...old, logLevel: 'silent' }), 1, 'nobody tells the time')

  await serving(t, dataDir)
  const early = boxAt(0)
  const late = boxAt(Date.now() + 3000 * dayMs)
  await raiseOwnClock({ ...late, log: silentLog })
  t.same(late.set, [], 'what was is no reason to go back')
  for (const box of [early, late]) {
    t.equal(await clockCommand({ ...box, logLevel: 'silent' }), 0)
    t.ok(Math.abs(box.clock.now() - Date.now()) < 60_000)
  }
  t.equal(late.set.length, 1)
  const isSynchronized = async () => true
  const served = boxAt(Date.now() + 3000 * dayMs)
  t.equal(await clockCommand({ ...served, time: { ...served.time, isSynchronized }, logLevel: 'silent' }), 0)
  t.same(served.set, [], 'a time server’s word counts')

  const stuck = boxAt(0)
  const asleep: number[] = []
  const clock = { ...stuck.clock, sleep: async (ms: number) => void asleep.push(ms) }
  const time = { ...stuck.time, setClock: async () => undefined }
  t.equal(await clockCommand({ ...stuck, clock, time, logLevel: 'silent' }), 1, 'told, and still wrong')
  t.equal(asleep.length, 64, 'tried again, and not slept at the end')
})

t.test('it waits for approval, and says so; a card that cannot be written to stops nothing', async (t) => {
  const { invite, api, agents } = await world(t, { enrolment: { approval: 'manual' } })
  const { text } = await invite()
  const box = makeBox(await tempFolder(t), text)
  const approve = async () => {
    const { items } = await api.get<{ items: { id: string }[] }>('/v1/claims/waiting')
    for (const { id } of items) await api.post(`/v1/claims/waiting/${id}/approve`, {})
  }
  const at = async (point: string) => {
    if (point === 'before the overwriting') throw Object.assign(new Error('EROFS: read-only'), { code: 'EROFS' })
  }
  const { ended, told } = boot(box, { clock: { now: Date.now, sleep: approve }, at })
  await ended
  t.ok(told.some(({ waitsForApproval }) => waitsForApproval))
  t.match(told.at(-1), { waitsForApproval: false, names: { site: 'hq', segment: 'office' } })
  t.equal(await agents(), 1)
  t.ok(existsSync(join(box.stateDir, 'identity/identity.json')))
})

t.test('a data partition that is full: the box says so, uses no claim, and goes on once there is room', async (t) => {
  const { invite, agents } = await world(t)
  const { text } = await invite()
  const box = makeBox(await tempFolder(t), text)
  await mkdir(box.stateDir)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', box.stateDir])
  t.teardown(() => void execFileSync('umount', ['-l', box.stateDir]))
  const filler = join(box.stateDir, 'filler')
  await writeFile(filler, Buffer.alloc(64 << 10)).catch(() => {})
  const before: number[] = []
  const { ended, told } = boot(box, {
    clock: {
      now: systemClock.now,
      async sleep() {
        before.push(await agents())
        await rm(filler, { force: true })
      },
    },
  })
  await ended
  t.same(before, [0])
  t.match(told[0], { trouble: { code: 'DISK_FULL', message: /no space left at .*state/, next: /Free some space/ } })
  const shown = viewOf({ version: '1', card, trouble: told[0]?.trouble })
  t.match(shown, { state: 'needs-care', why: /no space left/ }, 'and nobody is sent to the firewall')
  t.equal(await agents(), 1)
})
