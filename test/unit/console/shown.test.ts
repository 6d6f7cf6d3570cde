import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ledPatterns } from '../../../agent/console/led-patterns.ts'
import { makeLeds } from '../../../agent/console/leds.ts'
import { candidate, firstCandidate } from '../../../agent/console/link-local.ts'
import { makePageAddress } from '../../../agent/console/page-address.ts'
import { pageHtml } from '../../../agent/console/page-html.ts'
import { type Known, states, viewOf } from '../../../agent/console/state.ts'
import { screenText } from '../../../agent/console/words.ts'
import { silentLog } from '../../../shared/log.ts'
import { tempFolder } from '../spool/records.ts'

const card = { name: 'eth0', signal: true, address: '198.18.3.10' }
const stateOf = (known: Partial<Known>) => viewOf({ version: '1', card, ...known }).state

t.test('the state follows from what is known, worst cause first', async (t) => {
  const connected = { enrolled: true, link: { connected: true, since: 'x' } }
  const away = { enrolled: true, link: { connected: false, lastError: 'CONTROLLER_UNREACHABLE: x' } }
  const wiped = { at: '2026-01-01T00:00:00Z', reason: 'stolen', done: true }
  const trouble = { message: 'm', next: 'n' }
  t.equal(stateOf({ card: undefined }), 'starting')
  t.equal(stateOf({ enrolled: false }), 'starting')
  t.equal(stateOf({ enrolled: false, waitsForFile: true }), 'no-file')
  t.equal(stateOf({ enrolled: false, waitsForFile: true, card: { name: 'eth0', signal: false } }), 'no-cable')
  t.equal(stateOf({ enrolled: false, waitsForFile: true, card: { name: 'eth0', signal: true } }), 'no-address')
  t.equal(stateOf({ enrolled: false, trouble }), 'no-controller')
  const shut = viewOf({ version: '1', card, enrolled: true, trouble: { ...trouble, code: 'TPM_FAILED' } })
  t.match(shut, { state: 'needs-care', title: /cannot open its key/ })
  const lost = { ...trouble, code: 'KEY_SEALED_ELSEWHERE' }
  t.equal(stateOf({ enrolled: false, waitsForFile: true, trouble: lost }), 'no-file')
  const full = viewOf({ version: '1', card, trouble: { ...trouble, code: 'DISK_READ_ONLY' } })
  t.match(full, { state: 'needs-care', next: /new card/ }, 'nobody is told of an option of a command')
  t.equal(stateOf({ enrolled: false, waitsForApproval: true }), 'waiting-for-approval')
  t.equal(stateOf(connected), 'working')
  t.equal(stateOf({ ...connected, card: undefined }), 'working', 'whoever is connected has a cable')
  t.equal(stateOf({ ...connected, waiting: [{ name: 'decoys', reason: 'no Docker' }] }), 'needs-care')
  t.equal(stateOf(away), 'no-controller')
  t.equal(stateOf({ ...away, card: undefined }), 'no-cable')
  t.equal(stateOf({ ...connected, updating: '1.2.0' }), 'updating')
  t.equal(stateOf({ ...connected, updating: '1.2.0', wiped }), 'wiped')
  t.match(viewOf({ version: '1', ...connected, wiped: { ...wiped, done: false } }), {
    state: 'wiped',
    next: /^Not all/,
  })
  const brought = viewOf({ version: '1', card, enrolled: false, waitsForFile: true, wiped, trouble })
  t.match(brought, { state: 'no-file', why: 'm', next: 'n' }, 'what is wrong with a new file is news')
  for (const state of states) t.ok(ledPatterns[state], `${state} has a light`)
  t.equal(new Set(states.map((state) => JSON.stringify(ledPatterns[state]))).size, states.length, 'of its own')
})

t.test('where there is no network it says one thing to do, not several to choose from', async (t) => {
  for (const card of [undefined, { name: 'eth0', signal: false }, { name: 'eth0', signal: true }]) {
    const { next } = viewOf({ version: '1', waitsForFile: true, card })
    t.notMatch(next, /\bor (use|for)\b|\belse\b/, next)
  }
})

const hostile = '\u001b[2J\u009b31m\u202e<script>alert("x")</script>\u0007\n&\'\ud800'
const told: Known = {
  version: '0.1.0',
  card,
  name: `gate-1 ${hostile}`,
  site: `Köln – Halle 3 ${hostile}`,
  segment: hostile,
  serial: 'board bbbbbbbb',
  controller: 'controller.example:8883',
  enrolled: true,
  link: { connected: false, lastError: `CONTROLLER_UNREACHABLE: ${hostile.repeat(50)}` },
  findings: Array.from({ length: 30 }, (_, n) => ({ name: `check ${n}`, detail: hostile.repeat(9), next: hostile })),
  stick: `marshlight-release-2.tar was not taken: ${hostile}`,
  page: 'http://169.254.7.7/',
}

t.test('while a release on a stick is read nobody is told to leave', async (t) => {
  const link = { connected: true, since: '2026-11-22T10:09:21.855Z' }
  const of = (stick: string) => viewOf({ version: '1', card, enrolled: true, link, stick })
  const program = readFileSync(join(import.meta.dirname, '../../../provisioning/image/files/stick'), 'utf8')
  const [, begins = ''] = /say "\$name( is being .*)"/.exec(program) ?? []
  t.match(of(`marshlight-release-2.tar${begins}`), { state: 'updating', next: /Do not switch it off/ })
  t.equal(of('marshlight-release-2.tar: This box runs release 2.').state, 'working')
  t.equal(of('marshlight-release-2.tar was not taken: it is cut off.').state, 'working')
})

t.test('on any screen the text fits, and what came from outside is only text', async (t) => {
  for (const [columns, rows] of [
    [80, 25],
    [80, 30],
    [40, 25],
    [132, 43],
    [80, 2],
  ] as const)
    for (const known of [told, { version: '1' }, { version: '1', wiped: { at: 'x', reason: hostile, done: true } }]) {
      const lines = screenText(known, viewOf(known), { columns, rows })
      t.ok(lines.length < rows, `${columns}x${rows}`)
      t.ok(
        lines.every((line) => line.length === columns && /^[\u0020-\u007e\u00a1-\u00ff]*$/.test(line)),
        'plain letters, whole lines',
      )
    }
  const lines = screenText(told, viewOf(told), { columns: 80, rows: 25 }).join('\n')
  t.match(lines, /Köln - Halle 3/)
  t.match(lines, /NO CONTROLLER/)
  const known: Known = { version: '1', stick: 'x was not taken' }
  t.match(screenText(known, viewOf(known), { columns: 40, rows: 25 }).join('\n'), /Stick: x/)
  t.match(lines, /-> /)
})

t.test('the page shows what came from outside as text, and has no script', async (t) => {
  const page = pageHtml(told, viewOf(told))
  for (const raw of ['<script', '\u001b', '\u202e', '\u009b']) t.notOk(page.includes(raw))
  t.match(page, /&lt;script&gt;alert\(&quot;x&quot;\)/)
  t.match(page, /<p>Stick: marshlight-release-2\.tar was not taken: /)
  t.match(page, /<dd>198\.18\.3\.10 \(eth0\)<\/dd>/)
})

t.test('the light shows its pattern, and afterwards what it did before', async (t) => {
  const folder = await tempFolder(t)
  const led = join(folder, 'ACT')
  mkdirSync(led)
  const put = (file: string, text: string) => writeFileSync(join(led, file), text)
  const get = (file: string) => readFileSync(join(led, file), 'utf8')
  put('trigger', 'none timer [mmc0] heartbeat\n')
  put('brightness', '0\n')
  const leds = makeLeds(folder)
  await leds.start()
  await leds.show('no-cable')
  t.same([get('trigger'), get('delay_on'), get('delay_off')], ['timer', '100', '2900'])
  await leds.show('working')
  t.same([get('trigger'), get('brightness')], ['none', '255'])
  await leds.stop()
  t.equal(get('trigger'), 'mmc0')
  const none = makeLeds(join(folder, 'nowhere'))
  await none.start()
  await none.show('working')
  await none.stop()
})

t.test('the page’s address: one that people can know, else the card’s own; given up to whoever has it', async (t) => {
  const mac = '02:00:00:00:00:01'
  const drawn = Array.from({ length: 2000 }, (_, n) => candidate(mac, n))
  t.ok(drawn.every((ip) => /^169\.254\.\d+\.\d+$/.test(ip) && !/^169\.254\.(0|255)\./.test(ip)))
  t.ok(new Set(drawn).size > 1900)
  const other = '02:00:00:00:00:02'
  t.same([candidate(other, 0), candidate(mac, 0)], [firstCandidate, firstCandidate])
  t.notSame(candidate(other, 1), candidate(mac, 1), 'of two boxes on one line one has another')
  const taken = new Set([drawn[0]])
  const asked: string[] = []
  const address = makePageAddress({
    whoHas: async (_, ip) => (taken.has(ip) ? ['02:00:00:00:00:99'] : []),
    ip: async (...argv) => void asked.push(argv.slice(1).join(' ')),
    log: silentLog,
  })
  const eth0 = { name: 'eth0', mac }
  t.equal(await address.hold(eth0), drawn[1])
  t.equal(await address.hold(eth0), drawn[1])
  taken.add(drawn[1])
  t.equal(await address.hold(eth0), drawn[2])
  t.equal(await address.hold(undefined), undefined)
  const replace = (n: number) => `replace ${drawn[n]}/16 dev eth0 scope link`
  const del = (n: number) => `del ${drawn[n]}/16 dev eth0`
  t.same(asked, [replace(1), replace(1), del(1), replace(2), del(2)])
  for (const ip of drawn) taken.add(ip)
  t.equal(await address.hold(eth0), undefined, 'everything is taken')
})
