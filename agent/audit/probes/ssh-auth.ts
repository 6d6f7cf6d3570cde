import { randomBytes } from 'node:crypto'
import { type Found, found, holds, type Probe } from '../look.ts'
import { type Attempts, tryPasswords } from '../ssh-login.ts'
import { median } from '../typical.ts'

/** More than any server gives; one that goes on past these has no limit. */
const mostTries = 12
/** Enough to see a constant again. */
const fewTries = 3

/** Methods, tries before it hangs up, and the time of its refusals. Only decoys are asked: real hosts count failures. */
export const sshAuth: Probe = {
  area: 'ssh',
  name: 'ssh.auth',
  async look({ persona, decoy }) {
    const { ssh } = persona
    if (!ssh) return []
    const tried = await asNobody(decoy.ip, mostTries)
    const first = pause(tried.answersMs)
    const again = isRound(first) ? pause((await asNobody(decoy.ip, fewTries)).answersMs) : undefined
    return [methods(tried), tries(tried, ssh.maxAuthTries), pace(first, again)]
  },
}

/** A name that no host knows, another one each time. */
async function asNobody(ip: string, most: number): Promise<Attempts> {
  const nobody = `u${randomBytes(4).toString('hex')}`
  const passwords = Array.from({ length: most }, (_, i) => `wrong-${i}-${nobody}`)
  const tried = await tryPasswords(ip, nobody, passwords)
  tried.client?.destroy()
  return tried
}

function methods({ methods }: Attempts): Found {
  const usual = ['publickey', 'password']
  const so = usual.every((method) => methods.includes(method))
  return holds('ssh.methods', so, methods, usual, 'real servers as set up by default offer both of them')
}

function tries({ answersMs, end, words }: Attempts, most: number): Found {
  const seen = `${answersMs.length} answers, then ${end}${words ? `: ${words}` : ''}`
  if (end === 'in') return found('ssh.tries', 'differs', seen, `${most} tries`, 'it lets in whoever nobody knows')
  // The last try may be answered with the end of the connection.
  const so = end === 'thrown out' && Math.abs(answersMs.length - most) <= 1
  return holds('ssh.tries', so, seen, `thrown out after ${most} tries`, 'another number of tries than its kind gives')
}

type Pause = { typical: number; spread: number; of: number }

function pause(answersMs: readonly number[]): Pause {
  const typical = median(answersMs)
  return { typical, spread: median(answersMs.map((ms) => Math.abs(ms - typical))), of: answersMs.length }
}

/** Always the same, and a number that a person would write. */
const isRound = ({ typical, spread }: Pause): boolean =>
  typical > 400 && spread < 3 && Math.abs(typical - Math.round(typical / 500) * 500) < 15

/**
 * A round constant is a program's delay. OpenSSH's own is always the same for one name, and another for the next one
 * (sshd fills it up to a multiple drawn from the name), so by chance one in twenty is round, and two names hardly ever.
 */
function pace(first: Pause, again?: Pause): Found {
  const seen = [first, ...(again ? [again] : [])]
    .map(({ typical, spread }) => `${Math.round(typical)} ms, usually within ${spread.toFixed(1)} ms of it`)
    .join('; of another name ')
  if (first.of < 4) return found('ssh.refusal-time', 'unknown', seen, '', 'too few refusals to judge')
  const constant = again !== undefined && isRound(again)
  return holds('ssh.refusal-time', !constant, seen, 'no constant', 'each refusal takes the same round time')
}
