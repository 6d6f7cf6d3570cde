import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Client } from 'ssh2'
import { contains } from '../../../shared/network.ts'
import { type Found, found, holds, type Look, type Probe, unknown } from '../look.ts'
import { execute } from '../ssh-login.ts'
import { accountOf, logIn } from './session.ts'

/** What an attacker brings a decoy to do; each tells by its word which of them came through. */
const lines = (ip: string, port: number): string[] => [
  `wget -T 2 -t 1 -q -O /dev/null http://${ip}:${port}/wget`,
  `curl -s -m 2 -o /dev/null http://${ip}:${port}/curl`,
  `bash -c 'echo bash > /dev/tcp/${ip}/${port}'`,
  `bash -c 'echo udp > /dev/udp/${ip}/${port}'`,
  `echo nc | nc -w 2 ${ip} ${port}`,
  `ssh -o BatchMode=yes -o ConnectTimeout=2 -o StrictHostKeyChecking=no -p ${port} root@${ip} true`,
  `tftp -g -r tftp -l /dev/null ${ip} ${port}`,
]
const withinMs = 5000

/**
 * Nothing comes out of a decoy towards a neighbour: the session's own programs and a forwarded port are asked to connect
 * to the place that looks, which listens. Told as it is seen from outside; what a decoy may do inside of its container is
 * tried all the time by the room `safety`.
 */
export const safety: Probe = {
  area: 'safety',
  name: 'safety.outward',
  async look(look) {
    const { persona, decoy, from } = look
    const user = accountOf(persona)
    if (!persona.ssh || !user) return []
    if (decoy.egress.some(({ cidr }) => contains(cidr, from.ip)))
      return [unknown('safety.outward', 'its plan lets it connect to this address')]
    const client = await logIn(look, user)
    if (!client) return [unknown('safety.outward', 'its log-in breaks off')]
    const ear = await listen(from.ip)
    try {
      await Promise.all([
        ...lines(from.ip, ear.port).map((line) => execute(client, line, withinMs)),
        forward(look, client, ear.port),
      ])
      return [judgeSafety(ear.heard)]
    } finally {
      client.destroy()
      ear.close()
    }
  },
}

export const judgeSafety = (heard: readonly string[]): Found =>
  heard.length === 0
    ? found('safety.outward', 'equal', 'nothing came', 'nothing', 'as expected')
    : holds(
        'safety.outward',
        false,
        heard.slice(0, 8),
        'nothing',
        'it opens connections outward for whoever is logged in',
      )

/** Notes all that comes, by TCP and UDP, at one port. */
async function listen(ip: string): Promise<{ port: number; heard: string[]; close(): void }> {
  const heard: string[] = []
  const server = createServer((socket) => {
    const at = heard.push('a connection') - 1
    socket.once('data', (data) => {
      heard[at] = `a connection: ${data.toString('latin1').slice(0, 40)}`
    })
    socket.on('error', () => undefined)
    setTimeout(() => socket.destroy(), 1000).unref()
  })
  server.listen(0, ip)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const datagrams = createSocket('udp4', (data) => heard.push(`a datagram: ${data.toString('latin1').slice(0, 40)}`))
  datagrams.bind(port, ip)
  await once(datagrams, 'listening')
  const close = () => {
    server.close()
    datagrams.close()
  }
  return { port, heard, close }
}

/** A port forwarded to here (RFC 4254, 7.2): a decoy that opens it is a relay for attacks. */
const forward = ({ from, signal }: Look, client: Client, port: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, withinMs)
    signal.addEventListener('abort', () => resolve(), { once: true })
    client.forwardOut('127.0.0.1', 4022, from.ip, port, (_error, channel) => {
      clearTimeout(timer)
      channel?.end('forwarded')
      resolve()
    })
  })
