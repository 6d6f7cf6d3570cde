import { simpleCommands } from '../attackers/shell-words.ts'
import type { Arm } from '../drift/bandit.ts'
import { signsIn } from './probing.ts'

/** What a visit shows of how an attacker takes what he meets: the input of `adaptPersona`. */
export type Interaction = {
  /** What his view of the decoy is. */
  arm: Arm
  /** Names of the signs of testing for a decoy (`probing.json`). */
  probes: string[]
  /** In, and gone within seconds, almost without a command. */
  leftEarly: boolean
  /** Busy for minutes, or with many commands. */
  stayed: boolean
  cameBack: boolean
  /** Injected failures that he met. */
  errors: number
  /** Lines typed, or things asked for, once more at once, as after a failure. */
  repeated: number
  /** Files and addresses that he got at by a second program. */
  otherWays: number
  /** Files that he read or wrote, and paths that he asked for. */
  files: string[]
}

export type Visited = {
  arm: Arm
  seconds: number
  /** Whether he has gone: nobody who is still there left early. */
  left: boolean
  /** Whether a log-in let him in. */
  inside: boolean
  cameBack: boolean
  errors: number
  /** How often he felt drift of any type. */
  felt: number
  lines: readonly string[]
  /** What he asked services for that need no log-in. */
  requests: readonly string[]
}

const earlySeconds = 20
const earlyLines = 2
const stayedSeconds = 300
const stayedLines = 15
/** A page is some requests. */
const stayedRequests = 60
const mostFiles = 64

/**
 * Pure. The lines are the attacker's own: only compared. Who only asks for a thing or two has not left early, as it
 * is all that most come for, unless he felt the drift.
 */
export function interactionOf(visited: Visited): Interaction {
  const { arm, seconds, left, inside, cameBack, errors, felt, lines, requests } = visited
  const entered = inside || (requests.length > 0 && felt > 0)
  const again = (all: readonly string[]) => all.filter((line, i) => line.trim() !== '' && line === all[i - 1]).length
  const paths = requests.map((url) => url.split(/[?#]/)[0] ?? '')
  const programs = programsByTarget(lines)
  return {
    arm,
    probes: signsIn([...lines, ...requests]),
    leftEarly: left && entered && seconds < earlySeconds && lines.length + requests.length <= earlyLines,
    stayed: seconds >= stayedSeconds || lines.length >= stayedLines || requests.length >= stayedRequests,
    cameBack,
    errors,
    repeated: again(lines) + again(requests),
    otherWays: [...programs.values()].filter((names) => names.size > 1).length,
    files: [...new Set([...programs.keys(), ...paths])].filter((target) => target.startsWith('/')).slice(0, mostFiles),
  }
}

/** Files and addresses that lines name, with the programs they were given to. */
function programsByTarget(lines: readonly string[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const line of lines)
    for (const { words, writes } of simpleCommands(line)) {
      const [program = '', ...rest] = words
      for (const word of [...rest, ...writes]) {
        if (!/^(~?\/|[a-z]{3,5}:\/\/)/.test(word)) continue
        const names = found.get(word) ?? new Set()
        found.set(word, names.add(program))
      }
    }
  return found
}
