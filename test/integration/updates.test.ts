import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeRelease } from '../../controller/updates/make.ts'
import { makeKeys } from '../../shared/minisign.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'
import { run as runIn } from './run-command-line.ts'
import { fetched, toldBox } from './told-boxes.ts'

t.setTimeout(60_000)
const keys = makeKeys()

async function release(t: Test, version: string, sequence: number, key = keys.privatePem) {
  const folder = await tempFolder(t)
  const path = join(folder, `agent-${version}.tar`)
  const content = randomBytes(300_000)
  await writeFile(path, content)
  const out = join(folder, 'release')
  const sources = [{ component: 'agent', arch: 'amd64', version, path } as const]
  await makeRelease({ version, sequence, createdAt: '2026-01-01T00:00:00.000Z', notes: '', sources, key, out })
  return { out, content, file: `agent-${version}.tar` }
}

/** A whole controller that trusts the key, with agents that enrolled; `run` is its command line. */
async function centre(t: Test, names: readonly string[], settings: object = {}) {
  const { dataDir, states } = await enrolledBefore(t, 0, names, settings)
  const controller = await serving(t, dataDir)
  await controller.api.post('/v1/release-keys', { text: keys.publicText })
  const run = (...argv: string[]) => runIn(t, '--data', dataDir, ...argv)
  const json = async <T>(...argv: string[]): Promise<T> => JSON.parse((await run('--json', ...argv)).out) as T
  return { ...controller, dataDir, states, run, json }
}

t.test('a release that is altered, cut off, of another key or older is refused, and nothing of it stays', async (t) => {
  const { run, dataDir } = await centre(t, [])
  const good = await release(t, '1.2.0', 5)
  const copy = async (name: string) => {
    const to = join(await tempFolder(t), name)
    await cp(good.out, to, { recursive: true })
    return to
  }
  const refused = async (folder: string, words: RegExp) => {
    const { code, error } = await run('updates', 'add', folder)
    t.not(code, 0)
    t.match(error, words)
    t.same(
      (await readdir(join(dataDir, 'releases')).catch(() => [])).filter((one) => one !== '.incoming'),
      [],
    )
    t.same(await readdir(join(dataDir, 'releases', '.incoming')).catch(() => []), [])
  }
  const cut = await copy('cut')
  await truncate(join(cut, good.file), 1000)
  await refused(cut, /agent-1\.2\.0\.tar of a release is not as it was made: it has 1000 bytes, 300000 were signed/)
  const altered = await copy('altered')
  await writeFile(join(altered, good.file), randomBytes(300_000))
  await refused(altered, /its SHA-256 is/)
  const changed = await copy('changed')
  const manifest = join(changed, 'manifest.json')
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"sequence": 5', '"sequence": 6'))
  await refused(changed, /its content is not what was signed/)
  await refused((await release(t, '1.2.0', 5, makeKeys().privatePem)).out, /signed by key [0-9A-F]{16}; known here/)
  await refused(await tempFolder(t), /is no release: it has no manifest\.json/)

  t.match(await run('updates', 'add', good.out), { code: 0, out: /Took release 1\.2\.0/ })
  t.match(await run('updates', 'add', good.out), { code: 1, error: /is here already/ })
  t.match(await run('updates', 'add', (await release(t, '1.2.0', 9)).out), {
    code: 1,
    error: /another release 1\.2\.0/,
  })
  const older = (await release(t, '1.1.0', 4)).out
  t.match(await run('updates', 'add', older), { code: 1, error: /has sequence 4, below 5 of 1\.2\.0/ })
  t.match(await run('updates', 'add', older, '--older'), { code: 0 })
  t.match((await run('updates')).out, /1\.2\.0 +5 +agent amd64[\s\S]*1\.1\.0 +4/)
  const listed = (await run('updates', 'ls')).out.split('\n')
  t.ok(listed.every((line) => line.length <= 80))
  t.match(await run('updates', 'remove', '1.1.0'), { code: 0 })
  t.match(await run('updates', 'add', (await release(t, '1.0.9', 4)).out, '--older'), {
    code: 1,
    error: /sequence 4 is that of release 1\.1\.0/,
  })
  t.same((await readdir(join(dataDir, 'releases'))).sort(), ['.incoming', '1.2.0'])
})

t.test('a bundle is a tar that others read, of exactly what was signed', async (t) => {
  const { run } = await centre(t, [])
  const { out, file, content } = await release(t, '1.2.0', 5)
  await run('updates', 'add', out)
  const folder = await tempFolder(t)
  const tar = join(folder, 'stick.tar')
  t.match(await run('updates', 'bundle', '1.2.0', '--out', tar), { code: 0 })
  t.equal(execFileSync('tar', ['-tf', tar], { encoding: 'utf8' }), `manifest.json\nmanifest.json.minisig\n${file}\n`)
  await mkdir(join(folder, 'unpacked'))
  execFileSync('tar', ['-xf', tar, '-C', join(folder, 'unpacked')])
  t.ok(content.equals(await readFile(join(folder, 'unpacked', file))))
  await writeFile(join(folder, 'release.pub'), keys.publicText)
  t.match(await run('updates', 'verify', join(folder, 'unpacked'), '--key', join(folder, 'release.pub')), { code: 0 })
  const again = join(folder, 'again.tar')
  await run('updates', 'bundle', '1.2.0', '--out', again)
  t.ok((await readFile(tar)).equals(await readFile(again)), 'the same each time')
})

t.test('boxes fetch by their certificate, from any byte on; revoked ones, and too many, do not', async (t) => {
  const { run, ports, states, api } = await centre(t, ['a', 'b'], {
    updates: { downloads: 1, bytesPerSecond: 200_000 },
  })
  const { out, file, content } = await release(t, '1.2.0', 5)
  await run('updates', 'add', out)
  const [a, b] = await Promise.all(states.map((state) => toldBox(state, ports.mqtt)))
  if (!a || !b) throw new Error('no boxes')
  const path = `/v1/releases/1.2.0/${file}`
  const get = (headers = {}, who = a.identity) => fetched(ports.enrol, who, path, headers)
  const tail = await get({ range: 'bytes=299990-' })
  t.match(tail, { status: 206, headers: { 'content-range': 'bytes 299990-299999/300000', 'content-length': '10' } })
  t.ok(content.subarray(299_990).equals(tail.body))
  const { etag } = tail.headers
  t.match(await get({ range: 'bytes=0-9', 'if-range': String(etag) }), { status: 206 })
  t.match(await get({ range: 'bytes=300000-' }), { status: 416, headers: { 'content-range': 'bytes */300000' } })

  const whole = get({ range: 'bytes=0-9', 'if-range': '"another"' })
  const busy = async () => {
    for (;;) {
      const answer = await get({ range: 'bytes=0-0' }, b.identity)
      if (answer.status === 503) return answer
    }
  }
  t.match((await busy()).headers['retry-after'], /^\d+$/)
  t.match(await whole, { status: 200, headers: { etag } })
  t.ok(content.equals((await whole).body))

  t.match(await get({}, { ...a.identity, key: '', certificate: '' }), { status: 403 }, 'without a certificate')
  t.match(await fetched(ports.enrol, b.identity, '/v1/releases/1.2.0/manifest.json'), { status: 404 })
  t.match(await fetched(ports.enrol, b.identity, '/v1/releases/..%2f..%2f/config.json'), { status: 404 })
  await api.post(`/v1/agents/${b.agent}/revoke`, {})
  t.match(await get({ range: 'bytes=0-9' }, b.identity), { status: 403 })
  await a.leave()
})

type Planned = { id: string; rings: { boxes: { name: string }[] }[]; leftOut: { name: string }[] }
type Shown = { status: string; why: string | null; rings: { state: string; confirmed: number }[] }

t.test('a rollout goes by rings, pauses when a box goes back, and brings the fleet back when asked', async (t) => {
  const centred = await centre(t, ['one', 'two', 'three'])
  const { run, json, ports, states, deps, api } = centred
  for (const [version, sequence] of [
    ['1.1.0', 1],
    ['1.2.0', 2],
  ] as const)
    await run('updates', 'add', (await release(t, version, sequence)).out)
  const boxes = await Promise.all(states.map((state) => toldBox(state, ports.mqtt)))
  const [one, two, three] = boxes
  if (!one || !two || !three) throw new Error('no boxes')
  t.match(await run('updates', 'plan', '1.2.0'), { code: 1, error: /never said what it runs/ })
  for (const box of boxes) await box.hello('1.1.0')
  while ((await deps.store.all('SELECT 1 FROM agent_running')).length < 3) await new Promise(setImmediate)

  await run('agents', 'tag', 'one', '+canary')
  t.match(await run('updates', 'plan', '1.2.0', '--rings', 'tag:canray'), {
    code: 1,
    error: /no agent with the tag canray/,
  })
  const rings = ['--rings', 'canary=tag:canary,all=100%', '--gate', '0m', '--tolerate', '0%', '--at-once', '2']
  const dry = await run('updates', 'plan', '1.2.0', ...rings, '--dry-run')
  t.match(dry.out, /canary +1 +300 kB +one\nall +2 +600 kB +(two, three|three, two)[\s\S]*Nothing was stored/)
  t.ok(dry.out.split('\n').every((line) => line.length <= 80))
  t.match(await json('updates', 'status'), [])
  const { id } = await json<Planned>('updates', 'plan', '1.2.0', ...rings)
  const status = () => json<Shown>('updates', 'status', id)
  t.match(await status(), { status: 'planned' })
  t.match(await run('updates', 'start', id), { code: 0, out: /^Started rollout \w+ of 1\.2\.0/ })
  t.match(await run('updates', 'remove', '1.2.0'), { code: 1, error: /still orders it/ })

  t.match(await one.until((update) => update?.step === 'fetch'), {
    rollout: id,
    allowOlder: false,
    confirmWithinSeconds: 600,
  })
  t.equal(two.desired(), undefined, 'only the canary')
  t.match(await run('updates', 'pause', id), { code: 0, out: /^Paused rollout \w+ of 1\.2\.0/ })
  t.equal(await one.until((update) => update === undefined), undefined, 'it has not begun, and stays as it is')
  t.match(await status(), { status: 'paused' })
  t.match(await run('updates', 'resume', id), { code: 0, out: /^Resumed/ })
  await one.until((update) => update?.step === 'fetch')
  await one.tell('fetching', '1.1.0', { bytes: 0, of: 300_000 })
  await one.tell('fetched', '1.1.0')
  await one.until((update) => update?.step === 'install')
  for (const phase of ['installing', 'trial'] as const) await one.tell(phase, '1.1.0')
  t.equal(two.desired(), undefined)
  await one.tell('confirmed', '1.2.0')
  await Promise.all([two, three].map((box) => box.until((update) => update?.step === 'fetch')))
  t.match(await status(), { status: 'running', rings: [{ state: 'ended', confirmed: 1 }, { state: 'open' }] })

  await two.tell('fetched', '1.1.0')
  await two.until((update) => update?.step === 'install')
  await two.tell('rolled-back', '1.1.0', { code: 'UPDATE_UNWELL', reason: 'no decoy came up' })
  t.equal(await three.until((update) => update === undefined), undefined, 'who had only been told to fetch')
  t.match(await status(), { status: 'paused', why: /1 of 2 boxes of ring all broke/ })
  const shown = await run('updates', 'status', id.slice(-8))
  t.match(shown.out, /two +all +rolled-back +broken[\s\S]*two: no decoy came up/)
  t.ok(
    shown.out.split('\n').every((line) => line.length <= 80),
    shown.out,
  )
  const { items } = await api.get<{ items: { title: string; severity: string }[] }>('/v1/alerts')
  t.match(items.find(({ severity }) => severity === 'high')?.title, /the rollout of 1\.2\.0 paused/)

  const back = await json<{ by: string; to: string; boxes: number }>('updates', 'rollback', id)
  t.match(back, { to: '1.1.0', boxes: 1 })
  t.match(await one.until((update) => update?.rollout === back.by), { step: 'fetch', allowOlder: true })
  await one.tell('fetched', '1.2.0')
  await one.until((update) => update?.step === 'install')
  await one.tell('confirmed', '1.1.0')
  const ended = async () => {
    for (;;) {
      const all = await json<{ id: string; status: string }[]>('updates', 'status')
      if (all.find((rollout) => rollout.id === back.by)?.status === 'done') return all
    }
  }
  t.match(
    (await ended()).find((rollout) => rollout.id === id),
    { status: 'aborted' },
  )
  t.match((await run('updates', 'plan', '1.2.0', ...rings, '--start')).out, /^Started\. Watch it/m)
  for (const box of boxes) await box.leave()
})
