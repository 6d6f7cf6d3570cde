import { type Found, found, type Look, type Probe, unknown } from '../look.ts'
import { talk } from '../tcp.ts'
import { isAmong, median } from '../typical.ts'

const rounds = 9

type Times = { connect: number[]; first: number[] }

/** Times of the connection and of the first bytes, beside those of real hosts with the same port. */
export const timing: Probe = {
  area: 'timing',
  name: 'timing',
  async look(look) {
    const { persona, decoy, having } = look
    const port = persona.ssh ? 22 : persona.telnet ? 23 : persona.services?.[0]?.port
    if (port === undefined) return []
    const others = having(port).slice(0, 3)
    if (others.length === 0) return [unknown('timing.connect', `no real host here has port ${port} open`)]
    const own = await timesOf(look, decoy.ip, port)
    const theirs: Times[] = []
    for (const { ip } of others) {
      const times = await timesOf(look, ip, port).catch(() => undefined)
      if (times) theirs.push(times)
    }
    if (theirs.length === 0) return [unknown('timing.connect', 'no real host answered')]
    const judge = (probe: string, what: 'connect' | 'first', words: string): Found => {
      const [mine, its] = [own[what], theirs.map((times) => times[what])]
      if (mine.length === 0 || its.every((times) => times.length === 0)) return unknown(probe, 'nothing was said first')
      const so = isAmong(mine, its)
      const expected = its.map((times) => `${median(times).toFixed(1)} ms`).join(', ')
      return found(
        probe,
        so ? 'equal' : 'differs',
        `${median(mine).toFixed(1)} ms`,
        expected,
        so ? 'as its neighbours' : words,
      )
    }
    return [
      judge('timing.connect', 'connect', 'connections take another time than to real hosts here'),
      judge('timing.banner', 'first', 'the first bytes take another time than those of real hosts here'),
    ]
  },
}

async function timesOf({ signal }: Look, ip: string, port: number): Promise<Times> {
  const [connect, first]: [number[], number[]] = [[], []]
  for (let i = 0; i < rounds; i++) {
    signal.throwIfAborted()
    const { connectMs, firstMs } = await talk(ip, port, { quietMs: 1000, enough: () => true })
    connect.push(connectMs)
    if (firstMs !== undefined) first.push(firstMs)
  }
  return { connect, first }
}
