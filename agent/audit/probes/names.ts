import { createSocket } from 'node:dgram'
import { type Found, found, type Look, type Probe, unknown } from '../look.ts'

/** NBSTAT question for any name (RFC 1002, 4.2.17). */
const netbiosQuestion = Buffer.from(`beef00000001000000000000${`20${'434b'}${'41'.repeat(30)}00`}00210001`, 'hex')

/** Names by DNS, NetBIOS and mDNS: whether it has them where machines of its kind here have. */
export const names: Probe = {
  area: 'names',
  name: 'names',
  async look(look) {
    const { decoy, beside, names: byDns } = look
    const dns = byAll(
      'names.dns',
      'a name in DNS',
      (byDns[decoy.ip] ?? []).length > 0,
      beside.map(({ ip }) => (byDns[ip] ?? []).length > 0),
    )
    return [
      dns,
      await asked(look, 'names.netbios', 'NetBIOS', 137, netbiosQuestion),
      await asked(look, 'names.mdns', 'mDNS', 5353),
    ]
  },
}

async function asked(
  { decoy, beside }: Look,
  probe: string,
  what: string,
  port: number,
  question?: Buffer,
): Promise<Found> {
  const ask = (ip: string) => answers(ip, port, question ?? reverseQuestion(ip))
  const [own, ...its] = await Promise.all([decoy.ip, ...beside.map(({ ip }) => ip)].map(ask))
  return byAll(probe, `an answer to ${what}`, own === true, its)
}

/** A difference only where all of its neighbours are alike: kinds differ in what they run. */
function byAll(probe: string, what: string, own: boolean, others: readonly boolean[]): Found {
  const [first] = others
  if (first === undefined) return unknown(probe, 'no real host of its kind to compare with')
  if (others.some((one) => one !== first)) return unknown(probe, 'hosts of its kind differ in it')
  const word = (has: boolean) => (has ? what : `not ${what}`)
  const words = own === first ? 'as its neighbours' : `all ${others.length} hosts of its kind here are otherwise`
  return found(probe, own === first ? 'equal' : 'differs', word(own), word(first), words)
}

/** A question for the name of an address (RFC 6762, 6.7: a legacy unicast query). */
function reverseQuestion(ip: string): Buffer {
  const labels = [...ip.split('.').reverse(), 'in-addr', 'arpa']
  const name = Buffer.concat(labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([Buffer.from('beef01000001000000000000', 'hex'), name, Buffer.from('00000c0001', 'hex')])
}

const answers = (ip: string, port: number, question: Buffer): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
    let finished = false
    const finish = (answered: boolean) => {
      if (finished) return
      finished = true
      clearTimeout(timer)
      socket.close()
      resolve(answered)
    }
    const timer = setTimeout(() => finish(false), 1500)
    socket.once('message', () => finish(true))
    // "Port unreachable" is an answer of the host, not of the service.
    socket.once('error', () => finish(false))
    socket.connect(port, ip, () => socket.send(question))
  })
