import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { wordsOf } from '../../shared/errors.ts'
import { type AuditJob, type BareFinding, type Job, job as jobSchema, type Told } from './job.ts'
import type { Look } from './look.ts'
import { cardName } from './place.ts'
import { probes } from './registry.ts'
import { touch } from './touch.ts'

const run = promisify(execFile)

/**
 * The process that looks, in a network of its own: says that it is there, takes its job from standard input, sets up its
 * card, tells what it finds, ends. It ends as well when its input ends, which is how it learns that the agent is gone.
 */
export async function lookAround(): Promise<number> {
  const tell = (one: Told) => void process.stdout.write(`${JSON.stringify(one)}\n`)
  const lines = createInterface({ input: process.stdin })
  lines.once('close', () => process.exit(1))
  tell({ type: 'ready' })
  try {
    const [line] = (await once(lines, 'line')) as [string]
    const job = jobSchema.parse(JSON.parse(line))
    await setUp(job)
    if (job.do === 'touch') tell(await touch(job))
    else await audit(job, (finding) => tell({ type: 'finding', finding }))
    tell({ type: 'done' })
    return 0
  } catch (error) {
    tell({ type: 'failed', message: wordsOf(error).slice(0, 512) })
    return 1
  }
}

async function setUp({ from, prefix }: Job): Promise<void> {
  const settings = '/proc/sys/net'
  // What comes from elsewhere than these ports is not known for our own: without them no connection may be made.
  await writeFile(`${settings}/ipv4/ip_local_port_range`, `${from.portFrom} ${from.portTo}`)
  // It answers to one address, and says nothing by itself.
  await writeFile(`${settings}/ipv6/conf/all/disable_ipv6`, '1').catch(() => undefined)
  await run('ip', ['link', 'set', 'lo', 'up'])
  await run('ip', ['addr', 'add', `${from.ip}/${prefix}`, 'dev', cardName])
  await run('ip', ['link', 'set', cardName, 'up'])
}

async function audit(job: AuditJob, tell: (finding: BareFinding) => void): Promise<void> {
  const looked = new Map<string, Promise<unknown>>()
  const look: Look = {
    ...job,
    signal: AbortSignal.timeout(230_000),
    having: (port) => job.beside.filter(({ ports }) => ports.includes(port)),
    once: <T>(what: string, work: () => Promise<T>) => {
      const known = (looked.get(what) as Promise<T> | undefined) ?? work()
      looked.set(what, known)
      return known
    },
  }
  for (const probe of probes)
    try {
      for (const one of await probe.look(look)) tell({ area: probe.area, ...one })
    } catch (error) {
      const words = `could not be looked at: ${wordsOf(error)}`.slice(0, 512)
      tell({ area: probe.area, probe: probe.name, verdict: 'unknown', seen: '', expected: '', words })
    }
}
