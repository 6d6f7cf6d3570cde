import { randomBytes } from 'node:crypto'
import { type Found, found, holds, type Probe } from '../look.ts'
import { type Attempts, tryPasswords } from '../ssh-login.ts'
import { median } from '../typical.ts'

/** More than any server gives; one that goes on past these has no limit. */
const mostTries = 12

/** Methods, tries before it hangs up, and the time of its refusals. Only decoys are asked: real hosts count failures. */
export const sshAuth: Probe = {
  area: 'ssh',
  name: 'ssh.auth',
  async look({ persona, decoy }) {
    const { ssh } = persona
    if (!ssh) return []
    const nobody = `u${randomBytes(4).toString('hex')}`
    const passwords = Array.from({ length: mostTries }, (_, i) => `wrong-${i}-${nobody}`)
    const tried = await tryPasswords(decoy.ip, nobody, passwords)
    tried.client?.destroy()
    return [methods(tried), tries(tried, ssh.maxAuthTries), pace(tried)]
  },
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

/** A delay that is a constant of a program shows in the spread; those of a real one vary by some milliseconds at least. */
function pace({ answersMs }: Attempts): Found {
  if (answersMs.length < 4) return found('ssh.refusal-time', 'unknown', answersMs, '', 'too few refusals to judge')
  const typical = median(answersMs)
  const spread = median(answersMs.map((ms) => Math.abs(ms - typical)))
  const round = Math.abs(typical - Math.round(typical / 500) * 500)
  const constant = typical > 400 && spread < 3 && round < 15
  const seen = `${Math.round(typical)} ms, usually within ${spread.toFixed(1)} ms of it`
  return holds('ssh.refusal-time', !constant, seen, 'no constant', 'each refusal takes the same round time')
}
