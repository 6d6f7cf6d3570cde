import { randomBytes } from 'node:crypto'
import type { Client } from 'ssh2'
import type { Persona, PersonaUser } from '../../../shared/schemas/persona.ts'
import { type Found, found, holds, type Look, type Probe, unknown } from '../look.ts'
import { execute, type Ran, shellOf, tryPasswords } from '../ssh-login.ts'
import { type Answers, judgeSession, questions } from './session-facts.ts'

/** An account that lets in with a password, the one that asks for the fewest tries. */
export const accountOf = (persona: Persona): PersonaUser | undefined =>
  persona.users
    .filter(({ passwords }) => passwords.length > 0)
    .sort((a, b) => (a.acceptFromTry ?? 1) - (b.acceptFromTry ?? 1))[0]

/** A persona may let in only after many tries; more than these the audit does not spend. */
const mostTries = 40

/** Logs in as a weak account and looks whether what it sees inside agrees with itself and with the persona. */
export const session: Probe = {
  area: 'session',
  name: 'session',
  async look(look) {
    const { persona, decoy } = look
    const user = accountOf(persona)
    if (!persona.ssh || !user) return [unknown('session.login', 'nobody can log in to this persona over SSH')]
    const client = await logIn(look, user).catch((error: Error) => error)
    // Whoever is let in nowhere sees nothing to compare, and has seen enough.
    if (client instanceof Error)
      return [found('session.login', 'differs', client.message, user.name, 'its log-in breaks off')]
    if (!client)
      return [found('session.login', 'differs', 'refused', user.name, 'its own weak password does not open it')]
    try {
      const overExec = await ask((line) => execute(client, line))
      const refused = Object.values(overExec).filter((ran) => ran.refused !== undefined)
      const most = Object.keys(questions).length
      const exec = holds(
        'session.exec',
        refused.length === 0,
        `${most - refused.length} of ${most} commands ran${refused[0] ? `; ${refused[0].refused}` : ''}`,
        'every command runs',
        'commands over `exec` fail that no server fails',
      )
      // Whoever cannot use `exec` opens a shell: what the system says of itself is to be had all the same. Where there is no
      // shell either, nothing is as expected.
      const shell = refused.length === most ? await shellOf(client).catch(() => undefined) : undefined
      const answers = shell ? await ask(shell) : overExec
      const known = found('session.login', 'equal', user.name, user.name, 'as expected')
      return [known, exec, ...judgeSession(answers, persona, decoy), await lasting(look, user, client)]
    } finally {
      client.destroy()
    }
  },
}

async function ask(run: (line: string) => Promise<Ran>): Promise<Answers> {
  const answers: Partial<Answers> = {}
  for (const [name, line] of Object.entries(questions)) answers[name as keyof Answers] = await run(line)
  return answers as Answers
}

/** Undefined where its own password does not open it. */
export async function logIn({ decoy, signal }: Look, user: PersonaUser): Promise<Client | undefined> {
  const password = user.passwords[0] ?? ''
  const needed = Math.min(mostTries, (user.acceptFromTry ?? 1) + 1)
  for (let tried = 0; tried < needed; ) {
    signal.throwIfAborted()
    const attempt = await tryPasswords(decoy.ip, user.name, Array(Math.min(5, needed - tried)).fill(password))
    if (attempt.client) return attempt.client
    if (attempt.answersMs.length === 0) return undefined
    tried += attempt.answersMs.length
  }
  return undefined
}

/**
 * Writes a file, comes again, and reads it: on a real machine it is still there. In /tmp, which is emptied at the next
 * start at the earliest, and which every kind of host has: a router's /var is in memory too, without a folder /var/tmp.
 */
async function lasting(look: Look, user: PersonaUser, client: Client): Promise<Found> {
  const [path, mark] = [`/tmp/.${randomBytes(4).toString('hex')}`, randomBytes(6).toString('hex')]
  await runOn(client, `echo ${mark} > ${path}`)
  const again = await logIn(look, user)
  if (!again) return found('session.lasting', 'differs', 'refused', mark, 'it does not let in the same user again')
  const { out, err, refused } = await runOn(again, `cat ${path}`)
  await runOn(again, `rm -f ${path}`)
  again.destroy()
  const seen = out.trim() || err.trim() || (refused ?? '')
  return holds('session.lasting', out.trim() === mark, seen, mark, 'a file that was written is gone at the next log-in')
}

/** Over `exec`, or in a shell where that is refused. */
async function runOn(client: Client, line: string): Promise<Ran> {
  const ran = await execute(client, line)
  if (ran.refused === undefined) return ran
  const shell = await shellOf(client).catch(() => undefined)
  return shell ? shell(line) : ran
}
