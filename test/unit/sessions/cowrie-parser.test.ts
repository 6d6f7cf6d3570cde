import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseCowrieEvent } from '../../../agent/sessions/cowrie-parser.ts'
import { type DecoyEvent, decoyEvent } from '../../../shared/schemas/event.ts'

const context = {
  decoy: '01920000-0000-7000-8000-0000000000aa',
  persona: '01920000-0000-7000-8000-0000000000bb',
  personaVersion: 7,
  revision: 12,
}
/** One line of each kind of event, as a decoy of ours wrote them. */
const recorded = readFileSync(new URL('recorded/cowrie.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')

function parse(line: string): DecoyEvent {
  const event = parseCowrieEvent(line, context)
  if ('bad' in event) throw new Error(event.bad)
  return event
}

const recordedAs = (source: string) => {
  const found = recorded.map(parse).find((event) => event.source === source)
  if (!found) throw new Error(`no ${source} among the recorded lines`)
  return found
}

const line = (fields: Record<string, unknown>) =>
  JSON.stringify({ eventid: 'cowrie.command.input', timestamp: '2026-11-21T05:00:00.000001Z', ...fields })

t.test('every recorded line is an event of the contract', (t) => {
  t.ok(recorded.length >= 20)
  for (const text of recorded) {
    const checked = decoyEvent.safeParse(parse(text))
    t.ok(checked.success, `${text.slice(0, 200)} ${checked.error?.message ?? ''}`)
  }
  t.end()
})

t.test('what an attacker did is found in its own field', (t) => {
  t.match(recordedAs('cowrie.login.failed'), { kind: 'login.failed', username: 'root', src: { ip: '198.18.77.9' } })
  t.match(parse(line({ eventid: 'cowrie.login.success', username: 'root', password: 'x' })), { method: 'password' })
  const key = { eventid: 'cowrie.login.success', username: 'root', method: 'publickey', fingerprint: 'SHA256:abc' }
  t.match(parse(line(key)), { kind: 'login.success', method: 'publickey', fingerprint: 'SHA256:abc' })
  t.match(parse(line({ method: 'GET' })), { method: undefined, data: { method: 'GET' } })
  t.match(recordedAs('cowrie.command.failed'), { kind: 'command.unknown', command: /^nosuchcommand/ })
  t.match(recordedAs('cowrie.session.file_download'), { url: 'http://198.18.77.9/m.sh', sha256: /^[0-9a-f]{64}$/ })
  t.match(recordedAs('cowrie.session.file_download.failed'), { kind: 'file.download.failed', url: /198\.18\.77\.1/ })
  t.match(recordedAs('cowrie.client.kex'), { kind: 'client.kex', hassh: /^[0-9a-f]{32}$/, data: { kexAlgs: [/./] } })
  t.match(recordedAs('cowrie.log.closed'), { kind: 'tty.closed', sha256: /./, durationMs: Number, size: Number })
  t.match(recordedAs('cowrie.session.closed'), { kind: 'session.close', durationMs: Number })
  t.match(recordedAs('cowrie.direct-tcpip.request'), { kind: 'forward.request', dst: { ip: '10.0.0.1', port: 80 } })
  t.match(recordedAs('cowrie.telnet.option'), { kind: 'other', service: 'telnet' })
  t.end()
})

t.test('the line says which persona was met, the reader whose decoy it is', (t) => {
  const said = parse(recorded[0] ?? '')
  t.equal(said.decoy, context.decoy)
  t.equal(said.revision, context.revision)
  t.not(said.persona, context.persona)
  const silent = parse(line({}))
  t.match(silent, { persona: context.persona, personaVersion: context.personaVersion })
  const forged = parse(line({ marshlight: { decoy: 'x', persona: '../../etc', personaVersion: 1 } }))
  t.match(forged, { persona: context.persona, decoy: context.decoy })
  t.end()
})

t.test('nothing that Cowrie said is lost, and nothing is without bounds', (t) => {
  const event = parse(
    line({
      input: 'x'.repeat(10_000),
      src_ip: 'fe80::1',
      src_port: 4,
      shasum: 'not a digest',
      deep: { a: { b: { c: { d: { e: 1 } } } } },
      many: Array.from({ length: 500 }, (_, index) => index),
      ...Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`field${index}`, 'y'.repeat(9000)])),
    }),
  )
  t.equal(event.command?.length, 4096)
  t.match(event.command, /\.\.\.\[\+5904\]$/)
  t.equal(event.src, undefined)
  t.match(event.data, { src_ip: 'fe80::1', src_port: 4, shasum: 'not a digest', '...': /^\[\+/ })
  t.ok(decoyEvent.safeParse(event).success)
  t.ok(JSON.stringify(event).length < 200_000)
  t.end()
})

t.test('a line that is no event is refused with its reason', (t) => {
  const bad = {
    '{"eventid": "cowrie': /not JSON/,
    '[1]': /list/,
    null: /not an object/,
    '{}': /no eventid/,
    [line({ timestamp: 'yesterday' })]: /timestamp is "yesterday"/,
    [line({ timestamp: '2026-11-21T05:00:00+02:00' })]: /timestamp/,
    [line({ timestamp: '2026-99-99T05:00:00Z' })]: /timestamp/,
  }
  for (const [text, reason] of Object.entries(bad)) t.match(parseCowrieEvent(text, context), { bad: reason }, text)
  t.end()
})

t.test('no input makes it throw or leave the contract', (t) => {
  const base = recorded[4] ?? ''
  for (let at = 0; at < base.length; at++) {
    for (const made of [base.slice(0, at), `${base.slice(0, at)}9${base.slice(at + 1)}`]) {
      const event = parseCowrieEvent(made, context)
      if ('bad' in event) continue
      if (!decoyEvent.safeParse(event).success) t.fail(made)
    }
  }
  t.pass()
  t.end()
})
