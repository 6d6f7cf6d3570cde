import { guessesFor } from './guesses.ts'
import { type AttackShell, openShell, type Typed } from './shell.ts'
import { decoysNow, type ShownDecoy, type Stage } from './story.ts'
import { until } from './wait.ts'

/** Connections at a time: what hydra advises for SSH. Of sixteen, its default, sshd turns some away, and it gives up guesses. */
const tasks = '4'

export type Login = { decoy: ShownDecoy; user: string; password: string }

/** A connect scan of the segment with nmap; the addresses with an SSH port open. */
export async function portScan({ lab, timeline }: Stage, from: string, cidr: string): Promise<string[]> {
  const { stdout, stderr, code } = await lab.exec(
    from,
    ['nmap', '-n', '-sT', '-T4', '--max-retries', '1', '-p', '22,23,80', '--open', '-oG', '-', cidr],
    { timeoutMs: 120_000 },
  )
  if (code !== 0) throw new Error(`nmap ended with ${code}: ${stderr.trim()}`)
  const open = [...stdout.matchAll(/^Host: (\S+) .*?22\/open/gm)].map(([, ip]) => ip ?? '')
  timeline.tell(`${from} scans ${cidr}: SSH open at ${open.length} addresses, it cannot tell which are decoys`)
  return open
}

/** hydra with common names and words against one decoy, until it finds a log-in that opens to every source at once. */
export async function passwordAttack(stage: Stage, from: string, decoy: ShownDecoy): Promise<Login> {
  const { lab, timeline } = stage
  const { tried } = await guessesFor(stage, decoy.ip)
  await lab.putFile(from, '/tmp/guesses', `${tried.join('\n')}\n`)
  const { stdout, stderr } = await lab.exec(
    from,
    ['hydra', '-I', '-C', '/tmp/guesses', '-t', tasks, '-f', `ssh://${decoy.ip}`],
    { timeoutMs: 180_000 },
  )
  const found = /login: (\S+)\s+password: (\S+)/.exec(stdout)
  if (!found) throw new Error(`hydra found no log-in at ${decoy.ip}: ${(stdout + stderr).slice(-300)}`)
  const login = { decoy, user: found[1] ?? '', password: found[2] ?? '' }
  timeline.tell(`${from} guesses passwords at ${decoy.hostname} with hydra and gets in as ${login.user}`)
  return login
}

export async function shellAt(stage: Stage, from: string, login: Login, sourceAddress?: string): Promise<AttackShell> {
  const { decoy, user, password } = login
  const lab = stage.lab.name
  const shell = await openShell({
    lab,
    from,
    ip: decoy.ip,
    user,
    password,
    ...(sourceAddress !== undefined && { sourceAddress }),
  })
  stage.atEnd.push(shell.end)
  return shell
}

export type KeySample = { source: string; typed: Typed[] }

/**
 * One new source after the other logs in and types what looks around and fetches: each becomes an alert of its own at the
 * line that takes its risk over the threshold.
 */
export async function manySources(stage: Stage, from: string, login: Login, count: number): Promise<KeySample[]> {
  const { lab, timeline } = stage
  const base = lab.machine(from).ip.replace(/\d+$/, '')
  const samples: KeySample[] = []
  for (let i = 0; i < count; i++) {
    const source = `${base}${101 + i}`
    await lab.exec(from, ['ip', 'address', 'add', `${source}/24`, 'dev', 'eth0'])
    timeline.progress(`source ${i + 1} of ${count} types`)
    const shell = await shellAt(stage, from, login, source)
    for (const line of ['id', 'cat /etc/shadow', 'crontab -l']) await shell.type(line).catch(() => undefined)
    shell.end()
    samples.push({ source, typed: shell.typed })
  }
  return samples
}

/** The decoy's persona version once its agent says that it shows at least `version`. */
export const personaShown = (stage: Stage, decoy: string, version: number, seconds: number): Promise<number> =>
  until(`decoy ${decoy} to show persona version ${version}`, seconds, async () => {
    const shown = (await decoysNow(stage)).find(({ id }) => id === decoy)?.state?.personaVersion
    return shown !== undefined && shown >= version ? shown : undefined
  })
