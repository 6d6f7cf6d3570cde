import { type ExecFileException, execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'

/**
 * This box's TPM 2.0, through the tools of Debian's tpm2-tools. What is sealed opens in this TPM alone, until it is cleared:
 * its key is derived from a seed that never leaves it. Secrets go by pipes, never by files or arguments.
 */
export type Sealed = { public: string; private: string }
export type Tpm = { seal(secret: Buffer): Promise<Sealed>; unseal(sealed: Sealed): Promise<Buffer> }

/** The kernel's own manager of what the TPM holds stands behind it: no two programs are in each other's way. */
const device = '/dev/tpmrm0'
const chosen = 'TPM2TOOLS_TCTI'
const toolMs = 30_000
const driverMs = 20_000
/**
 * `noda`: what has no password cannot be guessed, so it stands outside the protection against guessing. Inside, each start
 * without a shutdown before it counts as a wrong guess, and boxes are switched off by pulling the plug: after some tries
 * the TPM would answer nobody (TPM_RC_LOCKOUT).
 */
const ofParent = 'restricted|decrypt|fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda'
const ofSecret = 'fixedtpm|fixedparent|userwithauth|noda'
/** A TPM that is busy with another command says so, and is asked again. */
const tries = 4
const againMs = 500
/** TPM_RC of a blob that is not of this TPM's present seed, or was altered: TPM 2.0 part 2, 6.6.3. */
const notOurs = /integrity check failed|\(0x1DF\)|0x0*1df\b/i
const busy = /0x0*9(02|08|22|23)\b|\(0x9(02|08|22|23)\)/i

function whyOf(error: ExecFileException, told: string): string {
  if (error.code === 'ENOENT') return 'its tools are not installed (package tpm2-tools)'
  if (error.killed) return `no answer within ${toolMs / 1000} s`
  return told === '' ? wordsOf(error) : told.split('\n').slice(-3).join('; ')
}

/** Undefined where there is none. `TPM2TOOLS_TCTI` names another than the kernel's, as for its tools. */
export function tpmHere(env: NodeJS.ProcessEnv = process.env): Tpm | undefined {
  const tcti = env[chosen]
  if (tcti === undefined && !existsSync(device)) return undefined
  return makeTpm(tcti ?? `device:${device}`)
}

/** At the start of a machine its driver may come later than who asks. */
export async function tpmSoon(withinMs = driverMs): Promise<Tpm | undefined> {
  const until = performance.now() + withinMs
  while (!tpmHere() && performance.now() < until) await delay(againMs)
  return tpmHere()
}

function makeTpm(tcti: string): Tpm {
  const env = { ...process.env, [chosen]: tcti, TSS2_LOG: 'all+ERROR' }
  const once = (tool: string, argv: readonly string[], input?: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      const options = { env, encoding: 'buffer', timeout: toolMs, maxBuffer: 65_536 } as const
      const child = execFile(`tpm2_${tool}`, argv, options, (error, stdout, stderr) => {
        if (!error) return resolve(stdout)
        const why = whyOf(error, stderr.toString().trim())
        reject(new MarshlightError('TPM_FAILED', { what: `tpm2_${tool}`, why: why.slice(0, 300) }))
      })
      child.stdin?.on('error', () => undefined)
      child.stdin?.end(input)
    })
  const run = async (tool: string, argv: readonly string[], input?: Buffer): Promise<Buffer> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(tool, argv, input)
      } catch (error) {
        if (attempt >= tries || !busy.test(String((error as Error).message))) throw error
        await delay(againMs * attempt)
      } finally {
        // Without a manager behind it, what a tool loaded stays until there is no room.
        if (tcti.startsWith('swtpm')) await once('flushcontext', ['-t']).catch(() => undefined)
      }
    }
  }

  /** Works with the key that everything is sealed under: the same each time, for as long as the TPM is not cleared. */
  async function withParent<T>(work: (folder: string, parent: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'marshlight-tpm-'))
    try {
      const parent = join(folder, 'parent')
      await run('createprimary', ['-Q', '-C', 'o', '-g', 'sha256', '-G', 'ecc', '-a', ofParent, '-c', parent])
      return await work(folder, parent)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  return {
    seal: (secret) =>
      withParent(async (folder, parent) => {
        const [open, closed] = [join(folder, 'public'), join(folder, 'private')]
        await run('create', ['-Q', '-C', parent, '-a', ofSecret, '-i', '-', '-u', open, '-r', closed], secret)
        const [a, b] = await Promise.all([readFile(open), readFile(closed)])
        return { public: a.toString('base64'), private: b.toString('base64') }
      }),
    unseal: (sealed) =>
      withParent(async (folder, parent) => {
        const [open, closed, held] = [join(folder, 'public'), join(folder, 'private'), join(folder, 'held')]
        await writeFile(open, Buffer.from(sealed.public, 'base64'))
        await writeFile(closed, Buffer.from(sealed.private, 'base64'))
        try {
          await run('load', ['-Q', '-C', parent, '-u', open, '-r', closed, '-c', held])
        } catch (error) {
          if (!notOurs.test(String((error as Error).message))) throw error
          throw new MarshlightError(
            'KEY_SEALED_ELSEWHERE',
            { why: 'this box’s TPM does not know it' },
            { cause: error },
          )
        }
        return run('unseal', ['-c', held])
      }),
  }
}
