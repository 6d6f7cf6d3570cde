import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { compared, type Found, found, type Probe, unknown } from '../look.ts'
import { cardName } from '../place.ts'
import { connected } from '../tcp.ts'
import { tcpPortsOf } from './scan.ts'
import { foretold } from './system.ts'

/** What a SYN-ACK tells of a stack: its window, and its options in their order, without what changes each time. */
export type Synack = { window: number; mss?: number; scale?: number; layout: string }

/** A line of `tcpdump -n` with a SYN-ACK. Pure. */
export function readSynack(line: string): Synack | undefined {
  const match = /Flags \[S\.[EW]*\].* win (\d+), options \[([^\]]*)\]/.exec(line)
  if (!match) return undefined
  const options = (match[2] ?? '').split(',')
  const number = (name: string) => Number(options.find((one) => one.startsWith(`${name} `))?.split(' ')[1])
  const [mss, scale] = [number('mss'), number('wscale')]
  const layout = options.map((one) => one.split(' ')[0]).join(' ')
  return { window: Number(match[1]), ...(mss > 0 && { mss }), ...(scale >= 0 && { scale }), layout }
}

/** Window and options of its first packet, beside those of its persona and of real hosts that have the same port. */
export const packets: Probe = {
  area: 'system',
  name: 'packets',
  async look({ persona, decoy, having }) {
    const [port] = tcpPortsOf(persona)
    if (port === undefined) return []
    const seen = await synackOf(decoy.ip, port)
    if (!seen) return [unknown('packets.company', 'its answer to a connection was not seen')]
    const results: Found[] = []
    const { network } = persona
    if (network) {
      const scale = network.windowScale ?? undefined
      results.push(
        compared(
          'packets.options',
          [seen.mss, seen.scale],
          [network.mss, scale],
          foretold(persona, 'options', 'not the options of that system'),
        ),
      )
      if (network.window > 0)
        results.push(compared('packets.window', seen.window, network.window, 'not the window of that system'))
    }
    const others = []
    for (const { ip } of having(port).slice(0, 3)) {
      const its = await synackOf(ip, port).catch(() => undefined)
      if (its) others.push(its)
    }
    const text = ({ window, mss, scale, layout }: Synack) => `win ${window} mss ${mss} scale ${scale} [${layout}]`
    if (others.length > 0 && persona.os.kernel.name === 'Linux') {
      const so = others.some((its) => text(its) === text(seen))
      const words = so ? 'as a neighbour’s' : 'no real host here answers with such a packet'
      results.push(found('packets.company', so ? 'equal' : 'differs', text(seen), others.map(text).join('; '), words))
    }
    return results
  },
}

async function synackOf(ip: string, port: number): Promise<Synack | undefined> {
  const filter = ['tcp', 'and', 'src', 'host', ip, 'and', 'src', 'port', String(port)]
  const child = spawn('tcpdump', ['--immediate-mode', '-l', '-n', '-t', '-i', cardName, ...filter], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { promise, resolve } = Promise.withResolvers<Synack | undefined>()
  const timer = setTimeout(() => resolve(undefined), 4000)
  child.once('error', () => resolve(undefined))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const synack = readSynack(line)
    if (synack) resolve(synack)
  })
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (/^listening on/.test(line))
      connected(ip, port).then(
        (socket) => socket.destroy(),
        () => resolve(undefined),
      )
  })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
  }
}
