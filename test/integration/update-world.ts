import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { cp, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { saveIdentity } from '../../agent/enrol/identity.ts'
import { agentBundleIn } from '../../provisioning/build/bundle.ts'
import { writeFileAtomic } from '../../shared/files.ts'
import { newId } from '../../shared/ids.ts'
import { makeKeys, signText } from '../../shared/minisign.ts'
import type { DesiredUpdate, ReleasePart } from '../../shared/schemas/update.ts'
import { signDocument } from '../../shared/signing.ts'
import { TestController } from './agent-test-controller.ts'
import type { TestPki } from './agent-test-pki.ts'

/** Whose things these are: what is made goes when the test, or the benchmark, is over. */
export type Scope = { folder: string; after(work: () => Promise<void> | void): void }

export type Version = { version: string; breaks?: 'at start' | 'silently' }
const run = promisify(execFile)
const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'

/**
 * A box with the shipped bundle of the agent as its package, started by the launcher; a controller; a server of releases
 * as the enrolment server is one; and releases that are made of the same bundle with another version.
 */
export async function makeUpdateWorld(scope: Scope, pki: TestPki) {
  const { folder } = scope
  const home = join(folder, 'package')
  const stateDir = join(folder, 'state')
  const served = join(folder, 'served')
  await mkdir(home)
  await mkdir(served)
  await agentBundleIn(home)
  await symlink(process.execPath, join(home, 'node'))
  const controller = new TestController(pki)
  await controller.start()
  scope.after(() => controller.stop())
  const releases = await serveReleases(scope, pki, served)

  const agent = newId()
  const pair = await pki.agentPair(agent, 100)
  await writeFileAtomic(join(stateDir, 'identity', 'key.pem'), pair.key)
  await saveIdentity(stateDir, {
    ...{ v: 1, agent, name: 'gate-1', roles: ['enforcer'], certificate: pair.certificate, ca: pki.ca },
    mqtt: { host: '127.0.0.1', port: controller.port },
    enrol: { host: '127.0.0.1', port: releases.port },
    signingKey: pki.signingPem,
  })
  await writeFile(join(stateDir, 'agent.json'), JSON.stringify({ nics: ['lo'], updates: { steadySeconds: 0 } }))
  const keys = makeKeys()
  await mkdir(join(stateDir, 'release-keys'))
  await writeFile(join(stateDir, 'release-keys/test.pub'), keys.publicText)

  let sequence = 0
  async function makeRelease(what: Version): Promise<{ manifest: string; signature: string; folder: string }> {
    const { version } = what
    const made = join(folder, `made-${version}`)
    await cp(home, made, { recursive: true, verbatimSymlinks: true })
    await changeVersion(made, what)
    await mkdir(join(served, version))
    const file = `agent-${version}.tar`
    const path = join(served, version, file)
    execFileSync('tar', ['-cf', path, '-C', made, '.'])
    const content = await readFile(path)
    const sha256 = createHash('sha256').update(content).digest('hex')
    const part: ReleasePart = { component: 'agent', arch, version, file, bytes: content.length, sha256 }
    const manifest = JSON.stringify({
      ...{ kind: 'release', version, sequence: ++sequence, createdAt: new Date().toISOString(), notes: '' },
      parts: [part],
    })
    const signature = signText(manifest, keys.privatePem, `manifest of ${version}`)
    await writeFile(join(served, version, 'manifest.json'), manifest)
    await writeFile(join(served, version, 'manifest.json.minisig'), signature)
    return { manifest, signature, folder: join(served, version) }
  }

  let revision = 0
  const order = (update: DesiredUpdate | undefined) =>
    controller.publish(agent, 'plan', planOf(agent, ++revision, update, pki))
  const desired = (
    release: { manifest: string; signature: string },
    o: Partial<DesiredUpdate> = {},
  ): DesiredUpdate => ({
    ...{ rollout: newId(), manifest: release.manifest, signature: release.signature },
    ...{ allowOlder: false, step: 'install', confirmWithinSeconds: 30, ...o },
  })
  const states = (rollout: string) =>
    controller.of('state').filter((one) => one.type === 'update' && one.rollout === rollout)
  const hellos = () => controller.heard.filter(({ name }) => name === 'hello').map(({ message }) => message)

  return {
    ...{ stateDir, home, agent, controller, releases, makeRelease, order, desired, states, hellos },
    start: () => startLauncher(scope, home, stateDir),
    async command(...args: string[]): Promise<{ code: number; out: string; err: string }> {
      const all = [join(home, 'launcher.sh'), ...args, '--state', stateDir]
      return run('sh', all).then(
        ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
        ({ code, stdout, stderr }) => ({ code, out: stdout, err: stderr }),
      )
    },
    /** The last word on a rollout. */
    async over(rollout: string, ms?: number) {
      const last = () => states(rollout).at(-1)
      const isOver = () => ['confirmed', 'rolled-back', 'refused', 'failed'].includes(String(last()?.phase))
      await controller.until(`the end of the rollout; last: ${JSON.stringify(last())}`, isOver, ms)
      return last()
    },
  }
}

export type UpdateWorld = Awaited<ReturnType<typeof makeUpdateWorld>>

export function startLauncher(scope: Scope, home: string, stateDir: string): ChildProcess & { log(): string } {
  const child = spawn('sh', [join(home, 'launcher.sh'), 'run', '--state', stateDir], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr?.on('data', (text) => {
    log += text
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  scope.after(async () => {
    child.kill('SIGTERM')
    await gone
  })
  return Object.assign(child, { log: () => log })
}

/** The version stands in the bundle as package.json says it. */
export async function changeVersion(folder: string, { version, breaks }: Version): Promise<void> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.mjs'))
  let changed = 0
  for (const name of names) {
    const path = join(folder, name)
    const text = await readFile(path, 'utf8')
    const next = text.replace(/(name:"marshlight",version:)"[^"]+"/, `$1"${version}"`)
    if (next === text) continue
    changed++
    await writeFile(path, next)
  }
  if (changed !== 1) throw new Error(`the version stands in ${changed} files of the bundle`)
  if (!breaks) return
  const path = join(folder, 'agent.mjs')
  const fault = breaks === 'at start' ? 'process.exit(1)' : 'await new Promise(() => setInterval(() => {}, 1000))'
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace(/^(import [^\n]*\n)/, `if (process.argv.includes('run')) ${fault};\n$1`))
}

function planOf(agent: string, revision: number, update: DesiredUpdate | undefined, pki: TestPki) {
  const scan = {
    ...{ enabled: false, ranges: [], exclude: [], decoyMacs: [], maxRate: 100, maxHosts: 256 },
    ...{ quickEverySeconds: 300, detailEverySeconds: 3600, fullPictureEverySeconds: 3600 },
  }
  const plan = {
    ...{ kind: 'plan', agent, revision, issuedAt: new Date().toISOString() },
    expiresAt: new Date(Date.now() + 600_000).toISOString(),
    ...{ decoys: [], personas: [], scan, neverBlock: [], ...(update && { update }) },
  }
  return signDocument(plan, pki.signingKey)
}

/** As the enrolment server serves releases: by client certificate, with ranges, If-Range and the hash as ETag. */
async function serveReleases(scope: Scope, pki: TestPki, folder: string) {
  const { key, certificate } = pki.server
  const asked: { path: string; range?: string }[] = []
  const server = createServer(
    {
      key,
      cert: `${certificate}${pki.ca}`,
      ca: pki.ca,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    },
    async (request, response) => {
      const [, , , version = '', file = ''] = (request.url ?? '').split('/').map(decodeURIComponent)
      const { range } = request.headers
      asked.push({ path: `${version}/${file}`, ...(range && { range }) })
      const path = join(folder, version, file)
      const found = await stat(path).catch(() => undefined)
      if (!found) return void response.writeHead(404).end()
      const tag = `"${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}"`
      const from = request.headers['if-range'] === tag ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0
      response.writeHead(from > 0 ? 206 : 200, {
        etag: tag,
        'content-length': found.size - from,
        ...(from > 0 && { 'content-range': `bytes ${from}-${found.size - 1}/${found.size}` }),
      })
      createReadStream(path, { start: from }).pipe(response)
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}
