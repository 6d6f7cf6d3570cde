import { connect } from 'node:net'

const [se, sb, will, wont, doIt, dont, iac] = [240, 250, 251, 252, 253, 254, 255]
const verbs: Record<number, string> = { [will]: 'WILL', [wont]: 'WONT', [doIt]: 'DO', [dont]: 'DONT' }
const [terminalType, terminalSpeed, newEnviron, windowSize] = [24, 32, 39, 31]
const echo = 1

export type TelnetClient = {
  /** Options that the client has: what it says WILL to, and DO to. */
  has: readonly number[]
  wants: readonly number[]
  /** What is typed at each prompt (a text that ends in ": "). */
  typed: readonly string[]
  /** Answers no offer at all. */
  silent?: boolean
  /** Called when the server has said its first. */
  opened?: () => void
}

/** As a client with a terminal answers. */
export const withTerminal: Omit<TelnetClient, 'typed'> = {
  has: [terminalType, terminalSpeed, newEnviron, windowSize],
  wants: [echo, 3],
}

/**
 * What a telnet server says, one entry a command or a run of text, up to `until`, its end, or `enough`. Answers each offer
 * once, as the client does that is described.
 */
export function dialogueOf(host: string, client: TelnetClient, until: RegExp, enough?: AbortSignal): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(23, host)
    const said: string[] = []
    const answered = new Set<string>()
    const typed = [...client.typed]
    let [buffer, text, all] = [Buffer.alloc(0), '', '']
    const end = (why?: string) => {
      socket.destroy()
      if (text) said.push(text)
      text = ''
      resolve(why ? [...said, why] : said)
    }
    socket.setTimeout(30_000, () => end('quiet'))
    enough?.addEventListener('abort', () => end('quiet'))
    if (client.opened) socket.once('data', client.opened)
    socket.on('error', reject)
    socket.on('end', () => end('closed'))
    socket.on('data', (piece) => {
      buffer = Buffer.concat([buffer, piece])
      for (let taken = command(buffer); taken > 0; taken = command(buffer)) buffer = buffer.subarray(taken)
      if (until.test(all)) end()
      else if (text.endsWith(': ') && typed.length > 0) socket.write(`${typed.shift()}\r\0`)
    })

    function command(bytes: Buffer): number {
      if (bytes.length === 0) return 0
      if (bytes[0] !== iac) {
        const end = bytes.indexOf(iac)
        const run = bytes.subarray(0, end < 0 ? bytes.length : end)
        text += run.toString('latin1')
        all += run.toString('latin1')
        return run.length
      }
      const [, verb = 0, option = 0] = bytes
      if (bytes.length < 3) return 0
      if (text) said.push(text)
      text = ''
      if (verb === sb) {
        const end = bytes.indexOf(Buffer.from([iac, se]))
        if (end < 0) return 0
        said.push(`SB ${bytes.subarray(2, end).toString('hex')}`)
        const value = { [terminalType]: 'XTERM', [terminalSpeed]: '38400,38400' }[option] ?? ''
        socket.write(Buffer.from([iac, sb, option, 0, ...Buffer.from(value), iac, se]))
        return end + 2
      }
      const offer = `${verbs[verb] ?? verb} ${option}`
      said.push(offer)
      if (!answered.has(offer) && !client.silent) {
        answered.add(offer)
        if (verb === doIt) socket.write(Buffer.from([iac, client.has.includes(option) ? will : wont, option]))
        if (verb === will) socket.write(Buffer.from([iac, client.wants.includes(option) ? doIt : dont, option]))
      }
      return 3
    }
  })
}
