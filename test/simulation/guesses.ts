import type { Persona } from '../../shared/schemas/persona.ts'
import type { Stage } from './story.ts'

const names =
  'root admin deploy backup support operator devops ansible test pi ubuntu debian anna daniel julia lukas maria mark paul peter sven thomas'
const words =
  '123456 password admin root toor admin123 12345678 qwerty 1234 12345 changeme welcome1 P@ssw0rd test123 letmein server default pass123 root123 abc123 raspberry ubuntu'

/** What a password attack tries, commonest first: the names and words that every bot carries, and each name as its own word. */
const guesses = ['NAME', 'NAME123', 'NAME1', ...words.split(' ')].flatMap((word) =>
  names.split(' ').map((name) => `${name}:${word.replace('NAME', name)}`),
)

/** The guesses that fit the story, and whether one of them opens the decoy at `ip` to every source at once. */
export async function guessesFor({ centre }: Stage, ip: string): Promise<{ tried: string[]; opens: boolean }> {
  // Later steps come from one new source after another: an account that waits for a later try refuses each of them first.
  const { persona } = await centre.ask<{ persona: Persona }>('personas', 'show', ip)
  const waits = ({ acceptFromTry = 1 }: Persona['users'][number]) => acceptFromTry > 1
  const wait = persona.users.filter(waits).map(({ name }) => `${name}:`)
  const tried = guesses.filter((guess) => !wait.some((name) => guess.startsWith(name)))
  const open = persona.users
    .filter((user) => !waits(user))
    .flatMap(({ name, passwords }) => passwords.map((word) => `${name}:${word}`))
  return { tried, opens: open.some((pair) => tried.includes(pair)) }
}
