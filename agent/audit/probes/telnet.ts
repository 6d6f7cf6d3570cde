import { type Found, found, type Probe, unknown } from '../look.ts'
import { talk } from '../tcp.ts'

const iac = 255
const [will, dont] = [251, 254]

/** Options of a telnet server's first bytes (RFC 854) as `251 1`, and the text without them. Pure. */
export function readTelnet(data: Buffer): { options: string[]; text: string } {
  const options: string[] = []
  const text: number[] = []
  for (let i = 0; i < data.length; i++) {
    const [byte = 0, verb = 0, option = 0] = data.subarray(i, i + 3)
    if (byte !== iac) text.push(byte)
    else if (verb >= will && verb <= dont) {
      options.push(`${verb} ${option}`)
      i += 2
    } else i += 1
  }
  return { options, text: Buffer.from(text).toString('utf8') }
}

const mark = (text: string) => text.replace(/[\r\n]+/g, '\n').trim()

/** The first options it names, and what it shows before a log-in to a client that refuses them all. */
export const telnet: Probe = {
  area: 'telnet',
  name: 'telnet',
  async look(look) {
    const { persona, decoy, having } = look
    if (!persona.telnet) return []
    const own = await greeting(decoy.ip)
    const shown = mark(own.text)
    const prompt = mark(persona.telnet.loginPrompt)
    const results: Found[] = [
      found(
        'telnet.prompt',
        shown.endsWith(prompt) ? 'equal' : 'differs',
        shown.slice(-200),
        prompt,
        shown.endsWith(prompt) ? 'as expected' : 'another prompt than the host it imitates',
      ),
    ]
    const [twin] = having(23)
    if (!twin) return [...results, unknown('telnet.options', 'no real host here has telnet')]
    const its = await greeting(twin.ip)
    // A persona of another make than the neighbour rightly differs: only hosts with like words are compared.
    if (kind(mark(its.text)) !== kind(shown))
      return [...results, unknown('telnet.options', 'no host of the same make here')]
    const so = own.options.join() === its.options.join()
    const words = so ? 'as its neighbour' : `${twin.ip} begins with other options`
    return [...results, found('telnet.options', so ? 'equal' : 'differs', own.options, its.options, words)]
  },
}

const kind = (text: string) =>
  text
    .toLowerCase()
    .replace(/\S+ login:/, 'login:')
    .replace(/[^a-z:]+/g, ' ')
    .trim()

/** Every option is refused: WONT for DO, DONT for WILL. */
async function greeting(ip: string): Promise<ReturnType<typeof readTelnet>> {
  const first = await talk(ip, 23, { quietMs: 1500 })
  const { options } = readTelnet(first.data)
  const refusals = options.map((one) => {
    const [verb = 0, option = 0] = one.split(' ').map(Number)
    return Buffer.from([iac, verb === 253 ? 252 : 254, option])
  })
  if (refusals.length === 0) return readTelnet(first.data)
  const { data } = await talk(ip, 23, {
    quietMs: 2500,
    send: [Buffer.concat(refusals)],
    enough: (sofar) => /ogin: ?$|sername: ?$/i.test(sofar.toString('latin1')),
  })
  return { options, text: readTelnet(data).text }
}
