import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import type { Clock } from '../../../shared/clock.ts'
import { systemRandom } from '../../../shared/random.ts'
import { makePcapReader } from '../../capture/pcap.ts'
import { type Card, segmentCards } from '../cards.ts'
import { type Check, type Outcome, usualMs, worstOf } from './check.ts'
import { discoverPacket, type Offer, offerIn } from './dhcp-packet.ts'

/** Servers look first whether an address is free before they offer it: dnsmasq for up to three seconds. */
const listenMs = 4500

export const dhcp: Check = {
  name: 'DHCP',
  roles: ['decoys'],
  rests: ['cable', 'address', 'rights', 'programs'],
  withinMs: usualMs,
  async run({ config, clock }, signal) {
    const cards = segmentCards(config.nics)
    if (cards.length === 0)
      return { ok: false, detail: 'cannot be asked without an address', next: 'Mend the address first.' }
    const asked = cards.map(async (card) => judgeOffers(card, await offersTo(card, clock, signal)))
    return worstOf(await Promise.all(asked))
  },
}

export function judgeOffers({ name }: { name: string }, offers: readonly Offer[]): Outcome {
  const servers = [...new Map(offers.map((one) => [`${one.server} ${one.mac}`, one])).values()]
  const [first] = servers
  if (!first)
    return { ok: true, detail: `nobody gives out addresses on ${name}: this box keeps the one that it was given` }
  const told = ({ server, mac }: Offer) => `${server} (${mac})`
  if (servers.length === 1) return { ok: true, detail: `${told(first)} gives out addresses on ${name}` }
  const listed = servers.map(told).join(' and ')
  const differ = new Set(servers.map(({ router, mask }) => `${router} ${mask}`)).size > 1
  if (differ)
    return {
      ok: false,
      detail: `${servers.length} devices give out addresses on ${name}, and contradict each other: ${listed}`,
      next: 'Report them to whoever runs this network: often one is a router that somebody brought. Unplug that one.',
    }
  return {
    ok: true,
    detail: `${servers.length} devices give out addresses on ${name}, and agree: ${listed}`,
    next: 'Ask whoever runs this network whether both are theirs.',
  }
}

/** Asks once who would give this card an address, and takes none of them. */
async function offersTo(card: Card, clock: Clock, signal: AbortSignal): Promise<Offer[]> {
  const transaction = Math.floor(systemRandom() * 2 ** 32)
  const offers: Offer[] = []
  const filter = 'udp and src port 67'
  const child = spawn('tcpdump', ['--immediate-mode', '-p', '-n', '-U', '-i', card.name, '-w', '-', filter], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const end = () => child.kill('SIGKILL')
  signal.addEventListener('abort', end, { once: true })
  try {
    const reader = makePcapReader(({ frame }) => {
      const found = offerIn(frame, transaction)
      if (found && offers.length < 64) offers.push(found)
    })
    child.stdout.on('data', (bytes: Buffer) => {
      try {
        reader.push(bytes)
      } catch {
        // No Ethernet: nothing more is to be learned from it.
        end()
      }
    })
    await new Promise<void>((resolve, reject) => {
      let words = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-1000)
        if (words.includes('listening on')) resolve()
      })
      child.once('error', reject)
      child.once('close', () => reject(new Error(`tcpdump: ${words.trim().split('\n').at(-1)}`)))
    })
    await sendFrom(card, discoverPacket(card.mac, transaction))
    await clock.sleep(listenMs, signal).catch(() => undefined)
    return offers
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

/** By broadcast from the card's own address, which has the kernel choose that card; from a client's port where it is free. */
function sendFrom({ ip }: Card, packet: Buffer): Promise<void> {
  const send = (port: number) =>
    new Promise<void>((resolve, reject) => {
      const socket = createSocket({ type: 'udp4', reuseAddr: true })
      const done = (error?: Error | null) => {
        socket.close()
        if (error) reject(error)
        else resolve()
      }
      socket.once('error', done)
      socket.bind({ port, address: ip, exclusive: true }, () => {
        socket.setBroadcast(true)
        socket.send(packet, 67, '255.255.255.255', done)
      })
    })
  return send(68).catch(() => send(0))
}
