import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import decodeQR from 'qr/decode.js'
import t, { type Test } from 'tap'
import { agentsCommand } from '../../controller/cli/commands/agents.ts'
import { runProgram } from '../../controller/cli/program.ts'
import { parseCode } from '../../shared/enrolment-code.ts'
import { parseEnrolmentFile } from '../../shared/schemas/enrolment-file.ts'
import { command, commandWith } from '../faults/world.ts'
import { cardImage, gpt, gptFats, readBack } from '../unit/handover/card-image.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'

t.setTimeout(120_000)

async function world(t: Test) {
  const { dataDir } = await enrolledBefore(t, 0, [])
  const { deps } = await serving(t, dataDir)
  const out = await tempFolder(t)
  const invite = (...args: string[]) =>
    commandWith({ COLUMNS: '80' }, 'marshlight', '--data', dataDir, 'agents', 'invite', '--segment', 'office', ...args)
  const claims = async () => (await deps.store.all('SELECT id FROM claims')).length
  return { dataDir, out, invite, claims, deps }
}

/** What a phone reads off the screen: blocks of two dots each, light where they are filled. */
function readScreen(text: string): string {
  const lines = text.split('\n').filter((line) => /^[█▀▄ ]{25,}$/.test(line))
  const scale = 4
  const width = (lines[0]?.length ?? 0) * scale
  const height = lines.length * 2 * scale
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const block = lines[Math.floor(y / scale / 2)]?.[Math.floor(x / scale)] ?? ' '
      const upper = Math.floor(y / scale) % 2 === 0
      const light = block === '█' || block === (upper ? '▀' : '▄')
      data.fill(light ? 255 : 0, (y * width + x) * 3, (y * width + x) * 3 + 3)
    }
  return decodeQR({ width, height, data })
}

t.test('a file for each box holds its claim and the site’s settings, and is shown nowhere else', async (t) => {
  const { out, invite, deps } = await world(t)
  const site = join(out, 'site.json')
  await writeFile(site, '{ "ntp": ["198.18.0.1"] }')
  const cards = join(out, 'cards')
  const made = await invite('--site', 'hq', '--count', '2', '--network', site, '--out', `${cards}/`)
  t.equal(made.code, 0, made.err)
  t.same(made.out.trim().split('\n'), [join(cards, '/hq-office-01.json'), join(cards, '/hq-office-02.json')])
  t.notMatch(made.out + made.err, /ml1\./)
  const file = join(cards, 'hq-office-02.json')
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.match(parseEnrolmentFile(await readFile(file, 'utf8'), file), {
    site: 'hq',
    segment: 'office',
    ntp: ['198.18.0.1'],
  })
  const enrolled = await command('marshlight-agent', 'enrol', '--state', await tempFolder(t), '--token-file', file)
  t.match(enrolled.out, /^This machine is hq-office-02 /, enrolled.err)
  t.match(await deps.store.all('SELECT name FROM agents'), [{ name: 'hq-office-02' }])
})

t.test('an image for a box is made by one command, and holds the same file', async (t) => {
  const { out, invite } = await world(t)
  const base = await cardImage(await tempFolder(t), 'base.img', gpt(), gptFats)
  const words = ['--image', base, '--arch', 'amd64', '--out', out, '--name', 'gate-1', '--json']
  const made = await invite(...words, '--unverified')
  const image = join(out, 'main-office-01.img')
  t.match(JSON.parse(made.out), [{ segment: 'office', files: [image, `${image}.sha256`] }], made.err)
  t.match(made.err, /sha256sum -c main-office-01\.img\.sha256/)
  t.notMatch(made.out + made.err, /ml1\./)
  const text = await readBack(join(out, 'main-office-01.img'), 20, 'marshlight-enrol.json')
  t.match(parseEnrolmentFile(text, ''), { hostname: 'gate-1' })
})

t.test(
  'a code comes with what to type, and a QR code that reads as that; without one it reads as the token',
  async (t) => {
    const { out, invite } = await world(t)
    const made = await invite('--code', '--qr')
    t.equal(made.code, 0, made.err)
    const code = /^code +(\S+)$/m.exec(made.out)?.[1] ?? ''
    t.ok(parseCode(code))
    t.match(made.out, /^controller +127\.0\.0\.1:\d+$/m)
    t.match(made.err, /enrol --controller 127\.0\.0\.1:\d+ --code/)
    t.ok(
      made.out.split('\n').every((line) => line.length <= 80),
      'in 80 columns',
    )
    const [, at = ''] = /^controller +(\S+)$/m.exec(made.out) ?? []
    t.equal(readScreen(made.out), `${at} ${code}`, 'what is typed at the box, in one')
    const plain = await invite('--qr')
    t.ok(
      plain.out.split('\n').every((line) => line.length <= 80 || line.startsWith('ml1.')),
      'in 80 columns, too',
    )
    const state = await tempFolder(t)
    await writeFile(join(out, 'read.token'), readScreen(plain.out))
    const enrolled = await command(
      'marshlight-agent',
      'enrol',
      '--state',
      state,
      '--token-file',
      join(out, 'read.token'),
    )
    t.match(enrolled.out, /^This machine is /, enrolled.err)
  },
)

t.test('what cannot be done is said before a claim is made', async (t) => {
  const { dataDir, out, claims } = await world(t)
  const errors = t.capture(process.stderr, 'write', () => true)
  const settings = join(out, 'bad.json')
  await writeFile(settings, '{ "nettwork": {} }')
  const wrong: [string[], RegExp, number][] = [
    [['--image', 'x.img'], /--image needs --out/, 2],
    [['--arch', 'amd64'], /--arch needs --image/, 2],
    [['--image', 'x.img', '--out', out], /nobody has verified x\.img: give --pubkey FILE .*or --unverified/, 2],
    [['--image', 'x.img', '--out', out, '--pubkey', 'x.pub', '--unverified'], /give one/, 2],
    [['--unverified'], /--unverified needs --image/, 2],
    [['--network', settings], /--network needs/, 2],
    [['--network', settings, '--out', `${out}/`], /nettwork.*there is no such setting/, 1],
    [['--network', `${out}/none.json`, '--out', `${out}/`], /there is no .*none\.json/, 2],
    [['--usb', out, '--count', '2'], /--usb takes the file of one box/, 2],
    [['--image', settings, '--out', out, '--unverified'], /no partition table/, 1],
    [['--count', '60', '--code'], /at most 50 boxes/, 2],
    [['--name', 'x', '--count', '2'], /fits only one/, 2],
  ]
  for (const [args, why, code] of wrong) {
    const words = ['--data', dataDir, 'agents', 'invite', '--segment', 'office', ...args]
    t.equal(await runProgram(words, [agentsCommand]), code, args.join(' '))
    const said = errors().map(({ args: [text] }) => String(text))
    t.match(said.join('').replaceAll(/\n +/g, ' '), why)
  }
  t.equal(await claims(), 0)
  t.same(await readdir(out), ['bad.json'])
})

t.test('broken off in the middle of copying, it leaves no image and made no claim', async (t) => {
  const { dataDir, out, claims } = await world(t)
  const tools = await tempFolder(t)
  const base = await cardImage(tools, 'base.img', gpt(), gptFats)
  // A copy that begins and goes on for long.
  await writeFile(join(tools, 'cp'), '#!/bin/sh\nfor to in "$@"; do :; done\necho half > "$to"\nexec sleep 60\n', {
    mode: 0o755,
  })
  const words = [
    'controller/cli.ts',
    '--data',
    dataDir,
    'agents',
    'invite',
    '--segment',
    'office',
    '--image',
    base,
    '--unverified',
    '--out',
    out,
  ]
  const child = spawn(process.execPath, words, {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, PATH: `${tools}:${process.env.PATH}` },
    stdio: 'ignore',
    detached: true,
  })
  const begun = async () => (await readdir(out, { recursive: true })).some((name) => name.endsWith('0.img'))
  while (!(await begun())) await new Promise((resolve) => setImmediate(resolve))
  process.kill(-(child.pid ?? 0), 'SIGINT')
  const [code] = await once(child, 'exit')
  t.equal(code, 130)
  t.same(await readdir(out), [])
  t.equal(await claims(), 0)
})

t.test('killed without a chance to clean up, its copies go with the next one, and nobody else’s', async (t) => {
  const { out, invite } = await world(t)
  const child = spawn('sleep', ['60'])
  t.teardown(() => child.kill())
  const dead = spawn('true')
  await once(dead, 'exit')
  const machine = hostname().replaceAll(/[^\w.]/g, '')
  const [killed, running, elsewhere] = [
    `.marshlight-${machine}-${dead.pid}-aaaaaa`,
    `.marshlight-${machine}-${child.pid}-bbbbbb`,
    `.marshlight-other.host-${dead.pid}-cccccc`,
  ]
  for (const name of [killed, running, elsewhere]) {
    await mkdir(join(out, name), { mode: 0o700 })
    await writeFile(join(out, name, '0.img'), 'half')
  }
  const made = await invite('--out', `${out}/`)
  t.equal(made.code, 0, made.err)
  t.match(made.err, new RegExp(`^Removed .*${killed}, left by one that was killed\\.$`, 'm'))
  t.same((await readdir(out)).sort(), [running, elsewhere, 'main-office-01.json'].sort())
})
