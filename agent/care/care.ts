import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { readIfThere } from '../../shared/files.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Plan, Request } from '../../shared/schemas/desired-state.ts'
import type { Engine } from '../engine/port.ts'
import type { Report, Spool } from '../spool/port.ts'
import { makeBundle } from './bundle.ts'
import * as facts from './facts.ts'
import { journalLines } from './journal.ts'
import { type LogRing, newest } from './log-ring.ts'
import { makeReboot } from './reboot.ts'
import { makeRedactor } from './redact.ts'
import { secretsHere } from './secrets.ts'

export type CareOp = Extract<Request['op'], { name: 'logs' | 'reboot' | 'doctor' | 'support-bundle' }>

export type CareDeps = {
  agent: string
  version: string
  stateDir: string
  ring: LogRing
  reboot: { allowed: boolean; command?: readonly string[] | undefined }
  held(): { plan?: Plan; blocks?: { revision: number; entries: readonly unknown[] } }
  status(): object
  /** What `marshlight-agent doctor --json` says. */
  doctor(signal: AbortSignal): Promise<object>
  /** Absent on a box without decoys. */
  engine?: { ask(): Promise<Engine>; images: readonly string[] }
  spool: Pick<Spool, 'append' | 'standing'>
  report: Report
  clock: Clock
  log: Log
}

export type Care = Part & { answer(op: CareOp): Promise<Record<string, unknown>> }

/** An answer goes through the link as one message, which the centre takes up to 256 kB. */
const answerBytes = 131_072
const bundleLog = { count: 5_000, bytes: 900_000 }

/**
 * What people ask of a box from afar:
 *
 *   logs            journal, or the ring in memory -> secrets out -> the newest that fit one answer
 *   doctor          the doctor, in a process of its own
 *   reboot          answer, notice, then the restart
 *   support-bundle  all of this and facts of the box -> archive -> stream `files`
 */
export function makeCare(deps: CareDeps): Care {
  const { clock, log, report, stateDir } = deps
  const stopping = new AbortController()
  const { signal } = stopping
  const { command } = deps.reboot
  const reboot = makeReboot({ allowed: deps.reboot.allowed, ...(command && { command }), report, clock, log, signal })
  let examining: Promise<object> | undefined

  /** One at a time: it takes a second address for a while. Who asks meanwhile is given the same. */
  const doctor = (): Promise<object> => {
    examining ??= deps.doctor(signal).finally(() => {
      examining = undefined
    })
    return examining
  }

  async function logLines(lines: number, since?: string): Promise<{ from: 'journal' | 'memory'; lines: string[] }> {
    const cgroup = await readFile('/proc/self/cgroup', 'utf8').catch(() => '')
    const journal = await journalLines({ env: process.env, cgroup }, { lines, since })
    return journal ? { from: 'journal', lines: journal } : { from: 'memory', lines: deps.ring.lines(since) }
  }

  const redactor = async () => makeRedactor(await secretsHere(stateDir, deps.held().plan))

  const json = (name: string, make: () => unknown) => ({ name: `${name}.json`, make: async () => make() })
  const { engine } = deps
  const bundle = makeBundle({
    ...deps,
    folder: join(stateDir, 'care'),
    signal,
    redactor,
    sections: [
      json('status', deps.status),
      json('doctor', doctor),
      json('versions', () => facts.versions(deps.version)),
      json('machine', () => facts.machine(stateDir)),
      json('network', facts.network),
      json('documents', () => facts.documents(deps.held())),
      json('configuration', async () => (await readIfThere(join(stateDir, 'agent.json'))) ?? '{}\n'),
      ...(engine ? [json('docker', () => facts.engine(engine.ask, engine.images))] : []),
      {
        name: 'log.ndjson',
        make: async () => `${newest((await logLines(bundleLog.count)).lines, bundleLog).lines.join('\n')}\n`,
      },
    ],
  })

  return {
    name: 'care',
    async answer(op) {
      switch (op.name) {
        case 'logs': {
          const clean = await redactor()
          const { from, lines } = await logLines(op.lines, op.since)
          // All at once: a key may stand in several lines.
          const told = clean(lines.join('\n')).split('\n')
          return { from, ...newest(told, { count: op.lines, bytes: answerBytes }) }
        }
        case 'reboot':
          return reboot()
        case 'doctor':
          return { ...(await doctor()) }
        case 'support-bundle':
          return bundle.make()
      }
    },
    start: () => bundle.discard(),
    async stop() {
      stopping.abort(new MarshlightError('CONFLICT', { what: 'the agent stops', next: 'Ask again.' }))
      await bundle.settled()
      await bundle.discard()
    },
  }
}
