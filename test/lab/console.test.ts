import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { candidate } from '../../agent/console/link-local.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { makeSegment, run, runnerIn, succeeds, until } from './namespace-segment.ts'

t.setTimeout(60_000)
const mac = '02:00:00:0c:00:02'
const runner = join(import.meta.dirname, 'console-runner.ts')

t.test('the status page: on the card’s link-local address, for its time, for neighbours alone', async (t) => {
  const segment = await makeSegment(t, 'console')
  const box = await segment.host('box', '198.18.41.2/24', mac)
  const near = await segment.host('near', '198.18.41.9/24', '02:00:00:0c:00:09')
  const laptop = await segment.host('laptop', '169.254.9.9/16', '02:00:00:0c:00:0a')
  const decoy = '198.18.41.7'
  await segment.macvlan('decoy', box, `${decoy}/24`, '02:00:00:0c:00:07')
  await run('ip', '-n', near, 'route', 'add', '169.254.0.0/16', 'dev', 'seg0')
  // Another box on the line: the page takes the card's own address.
  const [taken, own] = [candidate(mac, 0), candidate(mac, 1)]
  await segment.host('other', `${taken}/16`, '02:00:00:0c:00:0b')

  const screen = join(await tempFolder(t), 'tty')
  await writeFile(screen, '')
  const { send, next, told, ended } = runnerIn(t, box, runner, { screen })
  const curl = (from: string, ...argv: string[]) =>
    run('ip', 'netns', 'exec', from, 'curl', '-s', '--max-time', '3', '-i', ...argv)
  const serves = (from: string, ip: string) =>
    succeeds('ip', 'netns', 'exec', from, 'curl', '-s', '--max-time', '1', '-o', '/dev/null', `http://${ip}/`)
  const hasAddress = async () => (await run('ip', '-n', box, '-4', 'address', 'show', 'dev', 'seg0')).includes(own)

  await until('the page is there', () => serves(laptop, own))
  const page = await curl(laptop, `http://${own}/`)
  t.match(page, /^HTTP\/1\.1 200 OK/)
  t.match(page, /content-security-policy: default-src 'none'/)
  t.match(page, /The network is there, but the controller is not reached/)
  t.match(page, /<dd>198\.18\.41\.2 \(seg0\)/)
  t.match(await curl(near, `http://${own}/`), /^HTTP\/1\.1 200/, 'for a neighbour with an address of the segment')

  t.match(await curl(laptop, '-X', 'POST', '-d', 'x=1', `http://${own}/`), /^HTTP\/1\.1 405/)
  t.match(await curl(laptop, `http://${own}/../etc/passwd`), /^HTTP\/1\.1 404/)
  t.match(
    await curl(laptop, '-H', 'Host: evil.example', `http://${own}/`),
    /^HTTP\/1\.1 421/,
    'by a name that leads here',
  )
  const long = `X: ${'y'.repeat(9000)}`
  t.notOk(await succeeds('ip', 'netns', 'exec', laptop, 'curl', '-sf', '-H', long, `http://${own}/`))
  t.notOk(await serves(near, '198.18.41.2'), 'not on the box’s own address')
  t.notOk(await serves(near, decoy), 'not on a decoy’s')
  const far = await segment.host('far', '198.18.99.9/24')
  await run('ip', '-n', far, 'route', 'add', `${own}/32`, 'dev', 'seg0')
  await run('ip', '-n', box, 'route', 'add', '198.18.99.0/24', 'dev', 'seg0')
  t.notOk(await serves(far, own), 'nor for another network’s, even where the way is open')
  const { cards } = await next(({ cards }) => Array.isArray(cards), 20, told.length)
  t.same(cards, ['198.18.41.2 198.18.41.0/24'], 'its address is no segment to the agent')
  send({ segments: true })
  const { segments } = await next(({ segments }) => Array.isArray(segments))
  t.same(segments, ['198.18.41.2 198.18.41.0/24'], 'nor to its scans')

  t.match(await readFile(screen, 'utf8'), /NO CONTROLLER/)
  send({ connected: true })
  await until('screen and page tell of it', async () => /It works/.test(await readFile(screen, 'utf8')))
  t.match(await curl(laptop, `http://${own}/`), /<h1 class="working">It works/)
  const drawn = (await readFile(screen, 'utf8')).length
  send({ minutes: 29 })
  await next(() => true, 5, told.length + 5)
  t.equal((await readFile(screen, 'utf8')).length, drawn, 'drawn only where something changed')
  t.ok(await serves(laptop, own))

  send({ minutes: 31 })
  await until('its time is over, and the address gone', async () => !(await hasAddress()))
  t.notOk(await serves(laptop, own))
  send({ stop: true })
  await ended
})
