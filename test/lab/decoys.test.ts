import { access } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { beatPlaces } from '../../agent/decoys/heartbeats.ts'
import { foldersOf } from '../../agent/decoys/specs.ts'
import { personaOf } from './cowrie-persona.ts'
import { bannerFrom, decoyOf, macOf, makeAppliance, phase, planOf, settled } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'

// Containers come and go; the whole takes about a minute.
t.setTimeout(180_000)

t.test('the life of decoys in a segment', async (t) => {
  const segment = makeSegment(t)
  const { agent, engine, records, reported, decoys, stateDir } = await makeAppliance(t, segment)
  const [one, two] = [decoyOf(segment, 20, 'attic-nas'), decoyOf(segment, 21, 'cellar-db')]
  const ofDecoy = async (decoy: string, kind: string) =>
    (await engine.containers()).find(
      ({ labels }) => labels['marshlight.decoy'] === decoy && labels['marshlight.kind'] === kind,
    )
  await decoys.start(new AbortController().signal)

  await t.test('a plan brings up decoys that answer a neighbour with their own MAC', async (t) => {
    decoys.applyPlan(planOf(agent, 1, [one, two]))
    t.match(await reported(settled(1)), { outcome: 'applied', count: 2 })
    for (const decoy of [one, two]) {
      t.equal(bannerFrom(segment, decoy.ip), 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3')
      t.equal(macOf(segment, decoy.ip), decoy.mac)
      t.match(records.find(phase(decoy.id, 'ready')), { readyAt: String, restarts: 0, personaVersion: 1 })
    }
    // It beats in memory: the card of an idle box is not written to every few seconds.
    const { pid } = (await ofDecoy(one.id, 'service')) ?? {}
    const [inMemory = '', onDisk = ''] = beatPlaces(foldersOf(join(stateDir, 'decoys'), one.id).out, pid)
    await access(inMemory)
    await t.rejects(access(onDisk), { code: 'ENOENT' })
    const pod = await ofDecoy(one.id, 'pod')
    t.match(await engine.exec(pod?.id ?? '', ['marshlight-pod', 'verify']), { exitCode: 0 })
  })

  await t.test('another persona takes effect in the running containers', async (t) => {
    const before = [await ofDecoy(one.id, 'pod'), await ofDecoy(one.id, 'service')]
    const next = { ...personaOf('attic-nas', 2), motd: 'Welcome back\n' }
    const changed = { ...one, personaVersion: 2 }
    decoys.applyPlan(planOf(agent, 2, [changed, two], [personaOf('attic-nas', 1), next]))
    t.match(await reported(settled(2)), { outcome: 'applied' })
    t.same([await ofDecoy(one.id, 'pod'), await ofDecoy(one.id, 'service')], before, 'nothing was started again')
    t.ok(
      records.some(
        (record) => phase(one.id, 'ready')(record) && 'personaVersion' in record && record.personaVersion === 2,
      ),
    )
  })

  const moved = { ...one, ip: segment.cidr.replace('0/24', '30') }
  await t.test('another address moves it', async (t) => {
    decoys.applyPlan(planOf(agent, 3, [moved, two]))
    t.match(await reported(settled(3)), { outcome: 'applied' })
    t.equal(bannerFrom(segment, moved.ip), 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3')
    t.throws(() => bannerFrom(segment, one.ip), 'nobody answers at the old one')
  })

  await t.test('containers that die are started again, and that is counted', async (t) => {
    for (const kind of ['service', 'pod']) {
      const from = records.length
      await engine.stop((await ofDecoy(two.id, kind))?.id ?? '', 0)
      const restarts = kind === 'service' ? 1 : 2
      await reported(
        (record) => phase(two.id, 'ready')(record) && 'restarts' in record && record.restarts === restarts,
        from,
      )
      t.equal(bannerFrom(segment, two.ip), 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3', `after the end of its ${kind}`)
    }
  })

  await t.test('a real host that claims the address gets it within a second', async (t) => {
    const from = records.length
    const claimedAt = Date.now()
    segment.claim(two.ip)
    t.match(await reported(phase(two.id, 'withdrawn'), from), { reason: RegExp(segment.neighbourMac) })
    const seconds = (Date.now() - claimedAt) / 1000
    t.ok(seconds < 2, `withdrawn after ${seconds} s`)
    t.match(
      records.slice(from).find((record) => record.type === 'notice'),
      { code: 'ADDRESS_TAKEN', data: { mac: segment.neighbourMac } },
    )
    decoys.applyPlan(planOf(agent, 4, [moved, two]))
    t.match(await reported(settled(4)), { outcome: 'rejected', reason: RegExp(two.ip) }, 'it stays away')
    t.equal(await ofDecoy(two.id, 'pod'), undefined)
    decoys.applyPlan(planOf(agent, 5, [moved, { ...two, ip: segment.cidr.replace('0/24', '31') }]))
    t.match(await reported(settled(5)), { outcome: 'applied' }, 'another address brings it back')
  })

  await t.test('an address in use is not taken', async (t) => {
    const three = decoyOf(segment, 9, 'shed-pi')
    decoys.applyPlan(planOf(agent, 6, [moved, three]))
    t.match(await reported(settled(6)), { outcome: 'rejected', reason: RegExp(segment.neighbourMac) })
    t.equal(macOf(segment, moved.ip) === '', false)
    await reported(phase(two.id, 'removed'))
    t.match(
      decoys.sources().find(({ id }) => id === two.id),
      { gone: true },
      'its events can still be fetched',
    )
    await decoys.release(two.id)
    await t.rejects(access(join(stateDir, 'decoys', two.id)), 'then its folder goes')
  })

  await t.test('what nobody planned is removed after a grace', async (t) => {
    const stray = await engine.create({
      name: `decoys-stray-${agent.slice(-8)}`,
      image: 'marshlight/pod:dev',
      labels: { 'marshlight.agent': agent, 'marshlight.kind': 'pod', 'marshlight.decoy': agent },
      env: {},
      network: { kind: 'none' },
      mounts: [],
      tmpfs: {},
      sysctls: {},
      readOnlyRoot: true,
      capDrop: ['ALL'],
      capAdd: [],
      memoryMb: 32,
      pids: 16,
      cpus: 0.1,
    })
    // Its start fails for want of rights, and the engine tells of its end: so the stray is seen at once.
    await engine.start(stray)
    await reported((record) => record.type === 'notice' && record.code === 'ORPHAN_REMOVED')
    t.notOk((await engine.containers()).some(({ id }) => id === stray))
  })

  await t.test('cleanup leaves nothing', async (t) => {
    await decoys.stop()
    const removed = await decoys.cleanup()
    t.match(removed, { containers: 2, networks: 1 })
    t.same(await engine.containers(), [])
    t.notOk((await engine.networks()).some(({ labels }) => labels['marshlight.agent'] === agent))
    await t.rejects(access(join(stateDir, 'decoys')))
  })
})

t.test('a missing image is told with its remedy, and attempts end', async (t) => {
  const segment = makeSegment(t)
  const { agent, reported, decoys, make } = await makeAppliance(t, segment, { attempts: 2 }, 'marshlight/absent:ever')
  const decoy = decoyOf(segment, 20, 'attic-nas')
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(planOf(agent, 1, [decoy]))
  t.match(await reported(settled(1)), {
    outcome: 'rejected',
    reason: /marshlight\/absent:ever is not here\. Bring the decoys/,
  })
  await decoys.stop()
  const again = make()
  t.teardown(() => again.stop())
  await again.start(new AbortController().signal)
  again.applyPlan(planOf(agent, 1, [decoy]))
  await reported((record) => record.type === 'decoy' && record.phase === 'rejected' && record.attempts === 2)
})
