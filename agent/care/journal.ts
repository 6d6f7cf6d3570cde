import { execFile } from 'node:child_process'

const withinMs = 10_000
const mostBytes = 4_194_304
/** The unit of the Debian package; an administrator's own may be called otherwise. */
const unitName = /([\w@:.\\-]+\.service)$/m

/**
 * Lines of this service in the journal, oldest first, across its restarts; undefined where it is not run by systemd, or
 * the journal gives none. `cgroup`: the text of /proc/self/cgroup, whose last folder is the unit.
 */
export async function journalLines(
  { env, cgroup }: { env: NodeJS.ProcessEnv; cgroup: string },
  { lines, since }: { lines: number; since?: string | undefined },
): Promise<string[] | undefined> {
  const unit = unitName.exec(cgroup)?.[1]
  if (!env.JOURNAL_STREAM || unit === undefined) return undefined
  const from = since === undefined ? [] : [`--since=@${Math.floor(Date.parse(since) / 1000)}`]
  const text = await said('journalctl', [
    '--no-pager',
    '--quiet',
    '--output=cat',
    `--lines=${lines}`,
    ...from,
    '-u',
    unit,
  ])
  const found = text?.split('\n').filter((line) => line !== '')
  return found && found.length > 0 ? found : undefined
}

/** What a program says on standard output; undefined where it is missing, fails, or says too much. */
export const said = (command: string, argv: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(command, argv, { timeout: withinMs, maxBuffer: mostBytes, killSignal: 'SIGKILL' }, (error, out) =>
      resolve(error ? undefined : out),
    )
  })
