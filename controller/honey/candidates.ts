import type { LoginProof } from '../../shared/schemas/login-proof.ts'
import type { Planted } from '../personas/index.ts'
import { makesAnswer } from './proofs.ts'

/**
 * The planted passwords, held against answers and lines. An answer costs a computation for each candidate, and attackers
 * try by the thousand, so a batch has a budget: those planted under the tried name come first, then the newest. What the
 * budget left out is counted.
 */
export type Search = {
  /** The planted log-in that makes this answer. */
  byProof(proof: LoginProof, username: string): Planted | undefined
  /** The planted log-in whose password stands in this text, quoted, escaped or not. */
  inText(text: string): Planted | undefined
  /** Candidates that were not tried, for want of budget. */
  readonly leftOut: number
}

/** What trying one candidate costs, in some ten microseconds; SCRAM is slow on purpose. */
const cost: Readonly<Record<LoginProof['scheme'], number>> = {
  ntlm: 1,
  digest: 1,
  'mysql-native': 1,
  'mysql-sha2': 1,
  'postgres-md5': 1,
  vnc: 1,
  'scram-sha-256': 60,
}

/** `planted`: newest first. */
export function makeSearch(planted: readonly Planted[], budget: number): Search {
  const left = { budget, out: 0 }
  return {
    get leftOut() {
      return left.out
    },
    byProof(proof, username) {
      const makes = makesAnswer(proof, username)
      const tried = new Set<string>()
      for (const one of inOrder(planted, username)) {
        if (tried.has(one.password)) continue
        tried.add(one.password)
        if (left.budget < cost[proof.scheme]) {
          left.out += 1
          continue
        }
        left.budget -= cost[proof.scheme]
        if (makes(one.password)) return one
      }
      return undefined
    },
    inText(text) {
      const readings = [...new Set([text, text.replaceAll(/['"\\]/g, ''), unescaped(text)])]
      return planted.find(({ password }) => readings.some((reading) => reading.includes(password)))
    },
  }
}

function* inOrder(planted: readonly Planted[], username: string): Generator<Planted> {
  const name = username.toLowerCase()
  for (const one of planted) if (one.username.toLowerCase() === name) yield one
  yield* planted
}

/** As a URL hides it. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
