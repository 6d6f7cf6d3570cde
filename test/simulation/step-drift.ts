import type { Explained } from '../../controller/adaptation/index.ts'
import { percentile } from './figures.ts'
import type { AttackShell } from './shell.ts'
import { type Login, shellAt } from './step-attack.ts'
import type { Stage } from './story.ts'
import { until } from './wait.ts'

const askedMs = 400
const answersMeasured = 7
/** Other work of this machine comes on top, never less than was asked. */
const mostOnTopMs = 250

/**
 * Milliseconds of wait that were asked for, in which a line of an open session was answered before and after, and how long
 * after the command that was felt. The wait comes in the place of what acknowledgements hold back of a short answer (some 40 ms
 * of `beforeMs`), so the whole answer is compared with what was asked.
 */
export type Felt = { askedMs: number; beforeMs: number; feltMs: number; afterSeconds: number }
/** Sources by what they were given. */
export type Adapted = { control: number; adaptive: number; drifted: number; visits: number }
/** Decoys that were looked at for drift that nobody asked for, and those where it was found. */
export type Scored = { decoys: number; alarmed: number }

/** Drift set by the administrator at a decoy, as an attacker feels it in a session that was open before. */
export async function feelDrift(stage: Stage, from: string, login: Login): Promise<Felt> {
  const { lab, centre, timeline } = stage
  const { hostname } = login.decoy
  const source = lab.machine(from).ip.replace(/\d+$/, '150')
  await lab.exec(from, ['ip', 'address', 'add', `${source}/24`, 'dev', 'eth0'])
  const shell = await shellAt(stage, from, login, source)
  // Nobody's view but the administrator's: what the loop may have chosen for this source would be measured with it.
  const view = ['--source', source]
  await centre.ask('drift', 'set', hostname, 'latency', 'low', '--form', 'fixed', '--ms', '0', ...view)
  const before = await answerMs(shell)
  timeline.tell(`${source} has a session at ${hostname}; a line is answered in ${Math.round(before)} ms`)

  const wish = ['latency', 'high', '--form', 'fixed', '--ms', `${askedMs}`, '--for', '15m', '--reason', 'the demo']
  const set = await centre.ask<{ settings: { words: string[] }[] }>('drift', 'set', hostname, ...wish, ...view)
  const setAt = Date.now()
  await until('the session to feel it', 20, async () => (await oneAnswerMs(shell)) - before > askedMs / 2 || undefined)
  const afterSeconds = Math.round((Date.now() - setAt) / 100) / 10
  const feltMs = Math.round(await answerMs(shell))
  const beforeMs = Math.round(before)
  timeline.tell(`drift set for it: ${set.settings.flatMap(({ words }) => words).join('; ')}`)
  timeline.tell(`felt in the open session after ${afterSeconds} s: a line is answered in ${feltMs} ms`)
  if (feltMs < askedMs || feltMs > askedMs + beforeMs + mostOnTopMs)
    throw new Error(`${askedMs} ms asked, answers in ${feltMs} ms`)

  await centre.ask('drift', 'clear', hostname, ...view, '--reason', 'the demo')
  await until(
    'the session to be as it was',
    20,
    async () => (await oneAnswerMs(shell)) - before < askedMs / 2 || undefined,
  )
  if (!shell.open()) throw new Error('the session did not survive the drift')
  shell.end()
  const counted = await until('the decoy to tell what it did', 20, async () => {
    const { visits } = await centre.ask<Explained>('drift', 'report', '--explain', source)
    return visits.reduce((sum, { felt }) => sum + felt, 0) || undefined
  })
  timeline.tell(`cleared: the same session is as fast as before; the decoy itself counted ${counted} waits`)
  return { askedMs, beforeMs, feltMs, afterSeconds }
}

/** What the loop chose for the sources that came, and what came of it so far. */
export async function seeAdaptation({ centre, timeline }: Stage, sources: readonly string[]): Promise<Adapted> {
  type Group = { chosen: number; visits: number; mean: number | null }
  type Report = { all: { control: Group; adaptive: Group; arms: (Group & { arm: string })[] } }
  const { all } = await until('visits to end and be learned from', 90, async () => {
    const report = await centre.ask<Report>('drift', 'report')
    return report.all.control.chosen + report.all.adaptive.chosen >= sources.length ? report : undefined
  })
  const drifted = all.arms.filter(({ arm }) => arm !== 'none').reduce((sum, { chosen }) => sum + chosen, 0)
  const visits = all.control.visits + all.adaptive.visits
  timeline.tell(
    `${visits} visits learned from: ${all.control.chosen} sources of the control group, ${all.adaptive.chosen} by choice of the bandit, ${drifted} of them with drift`,
  )
  for (const ip of sources) {
    const { assignments } = await centre.ask<Explained>('drift', 'report', '--explain', ip)
    const [given] = assignments
    if (!given || given.arm === 'none') continue
    timeline.tell(`${ip} was given ${given.arm}: ${given.because}`)
    break
  }
  return { control: all.control.chosen, adaptive: all.adaptive.chosen, drifted, visits }
}

/** How far each decoy is from what is expected of it, the drift that it was given included. */
export async function seeScores({ centre, timeline }: Stage): Promise<Scored> {
  type Score = { decoy: string; hostname: string; score: number } & Record<'feature' | 'words' | 'cause', string | null>
  type Scores = { alertScore: number; items: Score[] }
  const { alertScore, items } = await until('decoys to be looked at for drift', 90, async () => {
    const scores = await centre.ask<Scores>('drift', 'scores', '--limit', '1000')
    return scores.items.length > 0 ? scores : undefined
  })
  const most = new Map<string, Score>()
  for (const one of items) if (one.score >= (most.get(one.decoy)?.score ?? 0)) most.set(one.decoy, one)
  const alarmed = [...most.values()].filter(({ score }) => score >= alertScore)
  timeline.tell(
    `${most.size} decoys were looked at for drift that nobody asked for; what they were told to do is expected of them`,
  )
  for (const { hostname, score, feature, words, cause } of alarmed)
    timeline.tell(`${hostname} drifted by itself, score ${score}: ${feature} ${words} (${cause})`)
  return { decoys: most.size, alarmed: alarmed.length }
}

async function oneAnswerMs(shell: AttackShell): Promise<number> {
  const began = performance.now()
  await shell.type('true')
  return performance.now() - began
}

async function answerMs(shell: AttackShell): Promise<number> {
  const taken: number[] = []
  for (let i = 0; i < answersMeasured; i++) taken.push(await oneAnswerMs(shell))
  return percentile(taken, 50) ?? Number.NaN
}
