import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { LauncherEnv } from '../../../agent/updates/launcher-files.ts'
import { newId } from '../../../shared/ids.ts'
import { makeKeys, parsePublicKey, signText } from '../../../shared/minisign.ts'
import type { DesiredUpdate, ReleasePart } from '../../../shared/schemas/update.ts'

/**
 * Versions whose `node` is a shell script: it says what it was started as, and ends with the code that is written to
 * its pipe. So the real launcher is tried, and what an agent does meanwhile is the test's.
 */
const script = (pipe: string, version: string) => `#!/bin/sh
case $* in *--version*) echo ${version}; exit 0 ;; esac
echo "started $MARSHLIGHT_RUNS $MARSHLIGHT_BASE $MARSHLIGHT_TRIAL"
read -r code < ${pipe}
exit "$code"
`

export type Started = LauncherEnv & { version: string }

export async function makeBox(folder: string) {
  const home = join(folder, 'package')
  const stateDir = join(folder, 'state')
  const pipe = join(folder, 'pipe')
  await mkdir(home, { recursive: true })
  await mkdir(join(stateDir, 'versions'), { recursive: true })
  execFileSync('mkfifo', [pipe])
  await copyFile(join(import.meta.dirname, '../../../agent/updates/launcher.sh'), join(home, 'launcher.sh'))
  await fillVersion(home, '1.0.0')

  async function fillVersion(at: string, version: string): Promise<void> {
    await mkdir(at, { recursive: true })
    await writeFile(join(at, 'node'), script(pipe, version))
    await chmod(join(at, 'node'), 0o755)
    await writeFile(join(at, 'agent.mjs'), `// agent ${version}\n`)
    await writeFile(join(at, 'node-settings.sh'), 'flags=\n')
  }

  function start(args = ['run']) {
    const launcher: ChildProcess = spawn('sh', [join(home, 'launcher.sh'), ...args, '--state', stateDir], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    const lines = createInterface({ input: launcher.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
    const exit = once(launcher, 'exit') as Promise<[number | null]>
    return {
      launcher,
      exit,
      /** What was started next. */
      async next(): Promise<Started> {
        const { value, done } = await lines.next()
        if (done) throw new Error('nothing more was started')
        const [, runs = '', base = '', trial] = String(value).split(' ')
        const at = runs === 'package' ? home : join(stateDir, 'versions', runs)
        const text = await readFile(join(at, 'agent.mjs'), 'utf8')
        const version = /^\/\/ agent (\S+)\n$/.exec(text)?.[1]
        if (!version) throw new Error(`${runs} was started and is not whole`)
        return { runs, base, version, ...(trial && { trial }) }
      },
      /** What was started last ends so. */
      async end(code: number): Promise<void> {
        const file = await open(pipe, 'w')
        await file.writeFile(`${code}\n`)
        await file.close()
      },
      /** As a power cut does. */
      async cut(): Promise<void> {
        if (launcher.exitCode === null && launcher.signalCode === null && launcher.pid)
          process.kill(-launcher.pid, 'SIGKILL')
        await exit
      },
    }
  }

  return { folder, home, stateDir, fillVersion, start, versions: join(stateDir, 'versions') }
}

export type Box = Awaited<ReturnType<typeof makeBox>>
export type Launched = ReturnType<Box['start']>

export const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'
export const keys = makeKeys()
const key = parsePublicKey(keys.publicText)
if (!key) throw new Error('the key that was made cannot be read')
export const publicKey = key

/** A signed release of these files. */
export function makeRelease(
  version: string,
  sequence: number,
  files: readonly (Pick<ReleasePart, 'component' | 'file'> & Partial<ReleasePart> & { content: Buffer })[],
): { manifest: string; signature: string } {
  const parts = files.map(({ content, ...part }) => ({
    ...{ arch, version, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') },
    ...part,
  }))
  const head = { kind: 'release', version, sequence, createdAt: '2026-01-01T00:00:00Z', notes: '' }
  const manifest = JSON.stringify({ ...head, parts })
  return { manifest, signature: signText(manifest, keys.privatePem, version) }
}

export const desiredOf = (
  { manifest, signature }: { manifest: string; signature: string },
  o: Partial<DesiredUpdate> = {},
): DesiredUpdate => ({
  ...{ rollout: newId(), manifest, signature, allowOlder: false, step: 'install', confirmWithinSeconds: 30 },
  ...o,
})
