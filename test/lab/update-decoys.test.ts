import { execFileSync } from 'node:child_process'
import { copyFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lookOf } from '../../agent/cli/look.ts'
import { type Decoys, makeArp, makeDecoys } from '../../agent/decoys/index.ts'
import { makeDockerEngine } from '../../agent/engine/index.ts'
import { openUpdates } from '../../agent/updates/index.ts'
import { loadImages } from '../../agent/updates/install-decoys.ts'
import { makeUpdates } from '../../agent/updates/updates.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { makeLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { DesiredUpdate, UpdateState } from '../../shared/schemas/update.ts'
import { type Box, desiredOf, makeBox, makeRelease, publicKey } from '../unit/box-updates/box.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { personaOf } from './cowrie-persona.ts'
import { decoyOf, planOf } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'

t.setTimeout(180_000)
const log = makeLog('update-decoys', process.env.LAB_LOG ? 'debug' : 'silent')
const shared = { clock: systemClock, random: systemRandom, log }
const docker = (input: string | undefined, ...args: string[]) =>
  execFileSync('docker', args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], ...(input && { input }) }).trim()

const shipped = { pod: 'marshlight/pod:dev', cowrie: 'marshlight/cowrie:dev', web: 'marshlight/web:dev' }
const services = 'marshlight/services:dev'

/** Archives of images under names of this test's own: one that plays as the present one does, one that is broken. */
async function makeArchives(t: Test) {
  const folder = await tempFolder(t)
  const own = `update-decoys-${newId().slice(-8)}`
  t.teardown(() => {
    const tags = docker(undefined, 'image', 'ls', '--format', '{{.Repository}}:{{.Tag}}').split('\n')
    const made = tags.filter((tag) => tag.includes(own))
    if (made.length > 0) docker(undefined, 'image', 'rm', ...made)
  })
  const saved = (name: string, make: (tag: string) => unknown) => {
    const tag = `${own}-${name}/services:dev`
    make(tag)
    const file = join(folder, `${name}.tar`)
    docker(undefined, 'image', 'save', '-o', file, tag)
    return { version: `${name}+${own}`, file, tag: `marshlight/services:${name}_${own}` }
  }
  return {
    good: saved('good', (tag) => docker(`FROM ${services}\nLABEL of=${own}\n`, 'build', '-q', '-t', tag, '-')),
    // A file system with nothing in it: its container cannot even begin.
    bad: saved('bad', (tag) => docker('\0'.repeat(1024), 'import', '-c', 'ENTRYPOINT ["/decoy"]', '-', tag)),
  }
}

type Archive = Awaited<ReturnType<typeof makeArchives>>['good']
const desiredFor = async ({ version, file }: Archive, sequence: number): Promise<DesiredUpdate> => {
  const content = await readFile(file)
  return desiredOf(makeRelease(version, sequence, [{ component: 'decoys', file: 'decoys.tar', content }]))
}

/** The rooms of one agent that an update of images concerns: on the real engine, each life as the real launcher starts it. */
async function makeAgent(
  t: Test,
  box: Box,
  plan: (agent: string) => Plan,
  nic: { nic: string; cidr: string; address: string },
) {
  const agent = newId()
  const engine = makeDockerEngine({ socket: '/var/run/docker.sock', agentLabel: agent, ...shared })
  const states: UpdateState[] = []
  let launched = box.start()
  let last: Decoys | undefined
  t.teardown(async () => {
    await launched.cut()
    await last?.stop()
    await last?.cleanup()
  })
  const report = async (_: string, records: readonly object[]) => {
    for (const record of records) if ('type' in record && record.type === 'update') states.push(record as UpdateState)
  }

  /** One start of the agent. `until` ends it, or the update does. Gives with which code, where it was the update. */
  async function live(
    release: { desired: DesiredUpdate; file: string; withinMs: number } | undefined,
    until: () => boolean,
  ) {
    const started = await launched.next()
    const startedAt = new Date().toISOString()
    const { runs, base, trial = '' } = started
    const opened = await openUpdates({
      ...{ ...shared, stateDir: box.stateDir, version: started.version, keepsDecoys: true },
      processEnv: { MARSHLIGHT_LAUNCHER: '1', MARSHLIGHT_RUNS: runs, MARSHLIGHT_BASE: base, MARSHLIGHT_TRIAL: trial },
    })
    const images = { ...shipped, services, ...opened.images }
    const nics = async () => [nic]
    const by = { agent, running: opened.running() }
    const deps = { ...shared, ...by, engine, arp: makeArp(shared), report, stateDir: box.stateDir, nics }
    const decoys = makeDecoys({ ...deps, images }, { firstRetryMs: 100, lookEveryMs: 500 })
    last = decoys
    const link = { connected: true, acknowledgedAt: startedAt }
    const updates = makeUpdates({
      ...{ ...shared, stateDir: box.stateDir, opened, report, heldUpdate: () => release?.desired },
      look: () => lookOf({ link: link as never, startedAt, rooms: [], decoys: decoys.list() }),
      rules: { steadyMs: 3_000, marginMs: 30_000 - (release?.withinMs ?? 0) },
      hands: async () => ({
        box: async () => ({
          ...{ keys: [publicKey], running: opened.running(), highest: opened.held().highest },
          ...{ hasLauncher: true, hasSlots: false, keepsDecoys: true },
        }),
        fetch: async ({ file, onBytes, bytes }) => {
          await copyFile(release?.file ?? '', file)
          onBytes(bytes)
        },
        installAgent: () => Promise.reject(new Error('no release of this test holds an agent')),
        loadImages: (part, file) =>
          loadImages({ engine, part, file, inUse: images, keep: async () => undefined, kept: {} }),
        dropImages: async (tags) => {
          for (const tag of tags) await engine.untagImage(tag)
        },
        reboot: () => Promise.reject(new Error('nothing asks for that')),
      }),
    })
    const stopping = new AbortController()
    await decoys.start(stopping.signal)
    decoys.applyPlan(plan(agent))
    const isReady = () => decoys.list().some(({ phase }) => phase === 'ready')
    // As in the field, an update comes to a box that is at work.
    if (!started.trial) await eventually(isReady)
    await updates.start(stopping.signal)
    let over = false
    const done = eventually(() => over || until()).then(() => undefined)
    const asked = await Promise.race([opened.asked, done])
    over = true
    if (!asked && !isReady()) await eventually(isReady)
    const running = { services: opened.running().decoys, trial: started.trial }
    await updates.stop()
    await decoys.stop()
    stopping.abort()
    if (asked) await launched.end(asked.code)
    else {
      await launched.cut()
      launched = box.start()
    }
    return { asked: asked?.code, ...running }
  }
  const containers = async () => {
    const all = await engine.containers()
    const of = (kind: string) => all.find(({ labels }) => labels['marshlight.kind'] === kind)
    return { pod: of('pod'), service: of('service') }
  }
  return { live, states, containers, over: (rollout: string) => states.findLast((one) => one.rollout === rollout) }
}

async function eventually(fits: () => boolean): Promise<void> {
  const late = AbortSignal.timeout(60_000)
  while (!fits()) {
    late.throwIfAborted()
    await systemClock.sleep(100)
  }
}

const ended = ['confirmed', 'rolled-back', 'failed', 'refused']

t.test(
  'running decoys go over to new images, keep what is theirs, and go back from images that do not answer',
  async (t) => {
    const segment = makeSegment(t)
    const box = await makeBox(await tempFolder(t))
    const { good, bad } = await makeArchives(t)
    const web = {
      kind: 'https' as const,
      port: 443,
      product: 'nginx',
      version: '1.22.1',
      settings: { title: 'filer01' },
    }
    const persona = { ...personaOf('filer01', 1), services: [web] }
    const decoy = decoyOf(segment, 20, 'filer01', { persona: persona.id, services: ['services'] })
    const agent = await makeAgent(t, box, (id) => planOf(id, 1, [decoy], [persona]), segment)
    const state = join(box.stateDir, 'decoys', decoy.id, 'services', 'state')
    const kept = async () => {
      const names = (await readdir(state)).filter((name) => name !== 'events.next').sort()
      return Promise.all(names.map(async (name) => [name, (await readFile(join(state, name))).toString('base64')]))
    }
    const shown = () =>
      segment.onNeighbour(
        'bash',
        '-c',
        `openssl s_client -connect ${decoy.ip}:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint`,
      )

    const first = await desiredFor(good, 1)
    const release = { desired: first, file: good.file, withinMs: 29_000 }
    t.match(await agent.live(release, () => false), { asked: 75, services: 'shipped' })
    const [before, files, certificate] = [await agent.containers(), await kept(), shown()]
    t.equal(before.service?.image, services)
    t.ok(files.length > 0, 'it has a key of its own')
    const isOver = (desired: DesiredUpdate) => () => ended.includes(agent.over(desired.rollout)?.phase ?? '')
    t.match(await agent.live(release, isOver(first)), { trial: first.rollout, services: good.version })
    t.match(agent.over(first.rollout), { phase: 'confirmed' })
    const after = await agent.containers()
    t.equal(after.service?.image, good.tag)
    t.equal(after.pod?.id, before.pod?.id, 'the host never left: only what the release holds is made anew')
    t.strictSame(await kept(), files, 'keys and all that it keeps are as they were')
    t.equal(shown(), certificate, 'and so it shows them')

    const second = await desiredFor(bad, 2)
    const worse = { desired: second, file: bad.file, withinMs: 6_000 }
    t.match(await agent.live(worse, () => false), { asked: 75, services: good.version })
    t.match(
      await agent.live(worse, () => false),
      { asked: 76, trial: second.rollout, services: bad.version },
      'it gives up',
    )
    t.match(await agent.live(worse, isOver(second)), { trial: undefined, services: good.version })
    t.match(agent.over(second.rollout), {
      phase: 'rolled-back',
      code: 'UPDATE_UNWELL',
      reason: /1 of 1 decoys are not ready/,
    })

    t.equal((await agent.containers()).service?.image, good.tag)
    t.strictSame(await kept(), files)
    t.equal(shown(), certificate)
  },
)
