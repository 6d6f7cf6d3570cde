/**
 * Floods of connections from the namespace it is started in, told as one line of JSON. Arguments: what, address, sources
 * (comma), how many, a second.
 *
 *   logins: each a connection of its own and one wrong password, by a real SSH client
 *   connections: opened and kept; each answered by a banner, by a refusal in words, or by its end
 *   watch: a banner of the address, again and again until the standard input ends; the slowest is told
 */
import { createConnection } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import ssh2 from 'ssh2'

const [what = '', address = '', from = '', count = '0', perSecond = '1'] = process.argv.slice(2)
const sources = from.split(',')
const patienceMs = 15_000
const ways: Record<string, () => Promise<unknown>> = { logins, connections, watch }
const done = await ways[what]?.()
process.stdout.write(`${JSON.stringify(done)}\n`)
process.exit(0)

async function logins() {
  const outcomes = { accepted: 0, denied: 0, refused: 0, unanswered: 0 }
  const began = performance.now()
  await paced(async (i) => {
    outcomes[await login(i)]++
  })
  return { ...outcomes, seconds: (performance.now() - began) / 1000 }
}

async function login(i: number): Promise<keyof Awaited<ReturnType<typeof logins>> & 'denied'> {
  const client = new ssh2.Client()
  const sock = createConnection({ host: address, port: 22, localAddress: sources[i % sources.length] })
  const outcome = await new Promise<string>((resolve) => {
    const late = setTimeout(resolve, patienceMs, 'unanswered')
    const end = (outcome: string) => {
      clearTimeout(late)
      resolve(outcome)
    }
    client.once('ready', () => end('accepted'))
    // Before the handshake it is a refusal, as a server past its MaxStartups gives; after it a wrong password.
    client.on('error', (error: Error & { level?: string }) =>
      end(error.level === 'client-authentication' ? 'denied' : 'refused'),
    )
    client.once('close', () => end('refused'))
    sock.once('error', () => end('refused'))
    client.connect({ sock, username: 'root', password: `wrong-${i}`, readyTimeout: patienceMs, tryKeyboard: false })
  })
  client.destroy()
  return outcome as 'denied'
}

async function connections() {
  const outcomes = { banner: 0, refused: 0, unanswered: 0 }
  await paced(async (i) => {
    const socket = createConnection({ host: address, port: 22, localAddress: sources[i % sources.length] })
    const answer = await Promise.race([
      new Promise<keyof typeof outcomes>((resolve) => {
        socket.once('data', (data) => resolve(data.toString('latin1').startsWith('SSH-2.0-') ? 'banner' : 'refused'))
        socket.once('error', () => resolve('refused'))
        socket.once('close', () => resolve('refused'))
      }),
      delay(patienceMs, 'unanswered' as const),
    ])
    outcomes[answer]++
  })
  return outcomes
}

async function watch() {
  let slowest = 0
  let asked = 0
  let ended = false
  process.stdin.once('end', () => {
    ended = true
  })
  process.stdin.resume()
  while (!ended) {
    const began = performance.now()
    const socket = createConnection({ host: address, port: 22, localAddress: sources[0] })
    await Promise.race([
      new Promise((resolve) => {
        socket.once('data', resolve).once('error', resolve).once('close', resolve)
      }),
      delay(patienceMs),
    ])
    socket.destroy()
    slowest = Math.max(slowest, performance.now() - began)
    asked++
    await delay(250)
  }
  return { slowest, asked }
}

/** Begins `count` works, `perSecond` a second, and waits for all. */
async function paced(work: (i: number) => Promise<void>): Promise<void> {
  const began = performance.now()
  const works: Promise<void>[] = []
  for (let i = 0; i < Number(count); i++) {
    const due = began + (i * 1000) / Number(perSecond)
    if (due > performance.now()) await delay(due - performance.now())
    works.push(work(i))
  }
  await Promise.all(works)
}
