import { type Found, found, type Probe, unknown } from '../look.ts'
import { hello, oddAnswer } from '../ssh-hello.ts'
import answers from './openssh-answers.json' with { type: 'json' }
import { twinOf } from './ssh-algorithms.ts'

/** From this version on the answers are those of the data file. */
const firstMajor = 8

/** What it says to clients that do not speak as they should. */
export const sshOdd: Probe = {
  area: 'ssh',
  name: 'ssh.odd',
  async look(look) {
    const { persona, decoy } = look
    if (!persona.ssh) return []
    const twin = await twinOf(look, (await hello(decoy.ip)).line)
    const version = Number(/OpenSSH_(\d+)/.exec(persona.ssh.banner)?.[1] ?? 0)
    if (!twin && version < firstMajor)
      return [unknown('ssh.odd', 'nothing known of how that server answers odd clients')]
    const results: Found[] = []
    for (const { name, send, repeat = 1, answer } of answers.cases as OddCase[]) {
      const bytes = Buffer.from(send.repeat(repeat))
      const seen = await oddAnswer(decoy.ip, bytes)
      const expected = twin ? await oddAnswer(twin.ip, bytes) : answer
      const so = sameAnswer(seen, expected)
      const whose = twin ? `${twin.ip}, which shows the same banner,` : 'that version of OpenSSH'
      const words = so ? 'as expected' : `${whose} answers otherwise to ${name.replaceAll('-', ' ')}`
      results.push(found(`ssh.odd.${name}`, so ? 'equal' : 'differs', seen, expected, words))
    }
    return results
  },
}

type OddCase = { name: string; send: string; repeat?: number; answer: string }

/** A server that closes with bytes unread resets the connection, and the last bytes of its words may be lost on the way. */
export function sameAnswer(a: string, b: string): boolean {
  const body = (text: string) => text.replace(/(\\r|\\n)+"$/, '"')
  const isCut = (text: string) => !text.endsWith('\\n"')
  return a === b || (body(a) === body(b) && (isCut(a) || isCut(b)))
}
