import { release } from 'node:os'
import t from 'tap'
import { dialogueOf, withTerminal } from '../fidelity/telnet-dialogue.ts'
import { personaOf } from './cowrie-persona.ts'
import { command, docker, eventually, Lab } from './cowrie-pod.ts'

t.setTimeout(120_000)
// Each waits for the same seconds of the real login(1).
t.jobs = 3

const hostname = 'srv-telnet-3'
const plain = personaOf(hostname, 1)
const kernel = { ...plain.os.kernel, release: release() }
const lab = await Lab.start(t, { ...plain, os: { ...plain.os, kernel } })
const [real, address] = [`${lab.name}-telnetd`, `${lab.subnet}.30`]
t.teardown(() => docker('rm', '-f', '-v', real))
const accounts = ['-e', 'USERS=jmeier:Sommer2024', '-e', 'SERVICES=telnet']
await docker(
  'run',
  '-d',
  '--name',
  real,
  '--hostname',
  hostname,
  '--network',
  lab.name,
  '--ip',
  address,
  // telnetd and login(1) ask for the client's name; without a server of names each would wait for it.
  '--add-host',
  `tester:${lab.subnet}.1`,
  ...accounts,
  'marshlight/lab-host:dev',
)
const prompt = { ...withTerminal, typed: [] }
const started = async () => (await dialogueOf(address, prompt, /login: /).catch(() => undefined)) && true
await eventually(started, 'the real telnetd answers', 20)

const never = /(?!)/

/** The number of the terminal is the host's own, and how its text is cut into segments the network's. */
const comparable = (said: readonly string[]) => said.map((one) => one.replace(/pts\/\d+/, 'pts/n'))

t.test('telnetd of Debian: options, banner, echo and prompts as the real one has them', async (t) => {
  const client = { ...withTerminal, typed: ['jmeier', 'wrong', 'jmeier', 'Sommer2024'] }
  const until = /Login incorrect\r\n.*Password: \r\n/s
  const [expected, found] = await Promise.all([
    dialogueOf(address, client, until),
    dialogueOf(lab.decoy, client, until),
  ])
  t.same(upToLogIn(comparable(found)), upToLogIn(comparable(expected)))
  t.match(expected.join(''), /Login incorrect/)
})

t.test('five wrong passwords, and it hangs up', async (t) => {
  const client = { ...withTerminal, typed: Array.from({ length: 6 }, () => ['jmeier', 'wrong']).flat() }
  const [expected, found] = await Promise.all([
    dialogueOf(address, client, never),
    dialogueOf(lab.decoy, client, never),
  ])
  // The real telnetd ends with its child, now and then before it passed on login(1)'s last line: 1 of 80 sessions, forty at once.
  const last = 'Maximum number of tries exceeded (5)\r\n'
  const passedOn = comparable(expected).map((one) => one.replace(/Login incorrect\r\n$/, `$&${last}`))
  t.same(comparable(found), passedOn)
  t.ok(found.at(-2)?.endsWith(last))
  t.equal(expected.at(-1), 'closed')
})

t.test('who does not answer sees no prompt', async (t) => {
  const seen = async (host: string) => {
    const [opened, enough] = [Promise.withResolvers<void>(), new AbortController()]
    const silent = { has: [], wants: [], typed: [], silent: true, opened: opened.resolve }
    const heard = dialogueOf(host, silent, never, enough.signal)
    await opened.promise
    // Whoever comes later and answers has a prompt by then.
    t.match((await dialogueOf(host, prompt, /login: $/)).at(-1), /login: $/)
    enough.abort()
    return heard
  }
  const [expected, found] = await Promise.all([seen(address), seen(lab.decoy)])
  t.same(found, expected)
  t.equal(expected.at(-1), 'quiet')
  t.notMatch(found.join(''), /login/)
  const logs = await command('docker', ['logs', `${lab.name}-cowrie`])
  t.notMatch(logs.out + logs.err, /Traceback/, 'who leaves early is no error')
})

/** What comes behind the log-in is the shell's. */
function upToLogIn(said: readonly string[]): string[] {
  const at = said.findLastIndex((one) => one.includes('Password: \r\n'))
  return said.map((one, i) => (i === at ? one.slice(0, one.lastIndexOf('Password: \r\n') + 12) : one)).slice(0, at + 1)
}
