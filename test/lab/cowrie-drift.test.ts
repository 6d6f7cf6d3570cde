import t from 'tap'
import { driftMark } from '../../shared/drift-mark.ts'
import { seededRandom } from '../../shared/random.ts'
import { type DecoyDrift, type Drift, type DriftEffect, decoyDrift } from '../../shared/schemas/drift.ts'
import { normal } from '../../shared/statistics/draws.ts'
import { kolmogorovSmirnov, wilson } from '../../shared/statistics/index.ts'
import { connectionEnd, MeasuringClient } from '../drift/measured-ssh.ts'
import { TelnetClient } from '../drift/measured-telnet.ts'
import { personaOf } from './cowrie-persona.ts'
import { eventually, Lab, Shell } from './cowrie-pod.ts'

t.setTimeout(150_000)
const [user, password] = ['jmeier', 'Sommer2024']
const lab = await Lab.start(t, personaOf('srv-drift-1', 1))

/** Puts it in force; how long that took, in milliseconds. */
async function apply(everyone: Drift | null, views: DecoyDrift['views'] = []): Promise<number> {
  const wanted = decoyDrift.parse({ everyone, views })
  const began = performance.now()
  await lab.control('drift.json', wanted)
  await lab.status(({ drift }) => drift === driftMark(wanted), 'the drift is in force')
  return performance.now() - began
}
const drift = (...effects: DriftEffect[]): Drift => ({ seed: 'lab', effects })
const fixed = (ms: number): DriftEffect => ({ type: 'latency', form: 'fixed', ms, spread: 0 })
const error = (kind: 'refused' | 'reset' | 'busy' | 'timeout' | 'disk', share: number): DriftEffect => ({
  type: 'error',
  kind,
  share,
})
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const client = () => MeasuringClient.open(lab.decoy, user, password)
const eventsOf = async () =>
  (await lab.events())
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ eventid }) => eventid === 'marshlight.drift')

t.test(
  'open sessions of SSH and telnet feel a drift within a second, and are as before when it is cleared',
  async (t) => {
    const [shell, asking, telnet] = [new Shell(lab, user, password), await client(), await TelnetClient.open(lab.decoy)]
    await shell.until(/\$ $/)
    await telnet.until(/login: $/)
    await telnet.ask(user, /Password: $/)
    await telnet.ask(password, /\$ $/)
    const shellTime = async (mark: string) => {
      const began = performance.now()
      shell.type(`echo ${mark}-$((40 + 2))`)
      await shell.until(new RegExp(`${mark}-42`))
      return performance.now() - began
    }
    const telnetTime = async (mark: string) =>
      (await telnet.ask(`echo ${mark}-$((40 + 2))`, new RegExp(`${mark}-42`))).ms
    const before = [await shellTime('a'), (await asking.ask('id')).ms, await telnetTime('a')]
    const took = await apply(drift(fixed(600)))
    t.ok(took < 1000, `in force after ${took} ms`)
    const after = [await shellTime('b'), (await asking.ask('id')).ms, await telnetTime('b')]
    for (const [i, ms] of after.entries()) t.ok(ms - (before[i] ?? 0) > 450 && ms < 3000, `${before[i]} -> ${ms} ms`)
    await apply(null)
    const cleared = [await shellTime('c'), (await asking.ask('id')).ms, await telnetTime('c')]
    for (const [i, ms] of cleared.entries()) t.ok(ms < 600, `without drift again: ${ms} ms after ${after[i]}`)
    t.match((await asking.ask('id')).out, /^uid=1000\(jmeier\)/)
    for (const one of [shell, asking, telnet]) one.close()
    const told = await eventually(async () => {
      const found = (await eventsOf()).filter(({ what }) => what === 'fixed')
      return found.length >= 3 ? found : undefined
    }, 'each session tells what it felt')
    t.match(told, Array(3).fill({ type: 'latency', count: Number, ms: Number, session: String, src_ip: String }))
  },
)

t.test('waits arrive as they were asked for', async (t) => {
  const asking = await client()
  const lines = await asking.lines()
  const usual = median(await lines.waits(20))
  const arrived = async (times: number) => (await lines.waits(times)).map((ms) => ms - usual)
  await apply(drift(fixed(60)))
  const steady = median(await arrived(20))
  t.ok(Math.abs(steady - 60) < 15, `fixed 60 ms: ${steady}`)
  await apply(drift({ type: 'latency', form: 'jitter', ms: 60, spread: 0.5 }))
  const varying = await arrived(60)
  const random = seededRandom('requested')
  const requested = Array.from({ length: 2000 }, () => 60 * Math.exp(0.5 * normal(random)))
  const { p } = kolmogorovSmirnov(varying, requested)
  t.ok(p > 0.001, `of the distribution that was asked for: p = ${p}, median ${median(varying)}`)
  await apply(drift({ type: 'latency', form: 'load', ms: 80, spread: 0 }))
  const alone = median(await lines.waits(5))
  const others: MeasuringClient[] = []
  for (const many of [1, 3]) {
    while (others.length < many) others.push(await client())
    const loaded = median(await lines.waits(5))
    t.ok(Math.abs(loaded - alone - 80 * many) < 40, `${many} more sessions: ${alone} -> ${loaded} ms`)
  }
  await apply(null)
  for (const one of [asking, ...others]) one.close()
})

t.test('errors come in the words of their protocol, in the share that was asked for', async (t) => {
  const asking = await client()
  await apply(drift(error('busy', 0.12)))
  const answers = await asking.askOften('true', 100)
  const { low, high } = wilson(answers.filter(({ status }) => status === undefined).length, answers.length, 0.999)
  t.ok(low <= 0.12 && 0.12 <= high, `12 % without a process: ${low} to ${high}`)
  await apply(drift(error('disk', 0.3)))
  const read = await asking.askOften('cat /etc/crontab', 40)
  const broken = read.filter(({ out }) => out === 'cat: /etc/crontab: Input/output error\n')
  const of = wilson(broken.length, read.length, 0.999)
  t.ok(of.low <= 0.3 && 0.3 <= of.high && broken.every(({ status }) => status === 1), `disk: ${of.low} to ${of.high}`)
  const root = await MeasuringClient.open(lab.decoy, 'root', 'toor!23')
  const lines = async (command: string) =>
    [...(await root.ask(command)).out.matchAll(/critical medium error, dev sda, sector (\d+) op 0x0:\(READ\)/g)].map(
      ([, sector]) => sector,
    )
  const before = await lines('dmesg')
  t.ok(before.length >= 5, `${broken.length} files that were not read, ${before.length} lines of the kernel`)
  t.equal(new Set(before).size, 1, 'of the one block that was asked for')
  t.same(await lines('journalctl -k --no-pager'), before)
  const more = () => asking.askOften('cat /etc/crontab', 1)
  while (!(await more()).some(({ out }) => out.includes('Input/output')));
  const after = await eventually(async () => {
    await more()
    const told = await lines('dmesg')
    return told.length > before.length ? told : undefined
  }, 'its lines grow as long as the disk fails')
  t.same([...new Set(after)], [...new Set(before)])
  root.close()
  const written = (await asking.askOften('echo x > /tmp/x', 20)).map(({ out }) => out)
  t.ok(written.includes('bash: line 1: echo: write error: No space left on device\n'))
  t.match(
    (await asking.askOften('id', 20)).map(({ out }) => out),
    Array(20).fill(/^uid=1000/),
    'not what the shell rests on',
  )
  const shell = new Shell(lab, user, password)
  await shell.until(/\$ $/)
  // Before the host is busy, which may refuse a shell too.
  const beside = await asking.lines()
  await apply(drift(error('busy', 0.3)))
  for (let said = ''; !said.includes('fork'); ) {
    shell.type('id -u')
    said = await shell.until(/\n1000\r\n.*\$ $/s)
    if (said.includes('fork')) t.match(said, /-bash: fork: retry: Resource temporarily unavailable\r\n1000\r\n/)
  }
  await apply(drift(error('refused', 0.3)))
  const ends = new Set<string>()
  for (let i = 0; i < 60 && ends.size < 2; i++) ends.add(await connectionEnd(lab.decoy, 22))
  t.match([...ends].sort(), ['ECONNRESET', /^SSH-2\.0-OpenSSH/])
  await beside.waits(2)
  const further: (string | number | undefined)[] = []
  for (let i = 0; i < 30; i++) {
    const { status, why } = await asking.ask('true')
    further.push(why ?? status)
  }
  // As sshd 9.2 with `MaxSessions 1` does: reason and words, and the connection goes on.
  t.same([...new Set(further)].sort(), [0, '(SSH) Channel open failure: open failed 2'].sort())
  beside.close()
  await apply(drift(error('busy', 0.3)))
  ends.clear()
  for (let i = 0; i < 60 && ends.size < 2; i++) ends.add(await connectionEnd(lab.decoy, 22))
  t.match([...ends].sort(), ['Exceeded MaxStartups closed', /^SSH-2\.0-OpenSSH/])
  ends.clear()
  for (let i = 0; i < 60 && ends.size < 2; i++) ends.add(await connectionEnd(lab.decoy, 23))
  t.match([...ends].sort(), ['closed', /./], 'telnetd hangs up')
  await apply(drift(error('reset', 0.3)))
  const lost = asking.lost
  while ((await asking.ask('true')).status !== undefined);
  await lost
  await apply(null)
  shell.close()
})

t.test('sftp keeps its order; a file is altered the same way twice', async (t) => {
  const asking = await client()
  const sftp = await asking.sftp()
  const get = () =>
    new Promise<Buffer>((resolve, reject) =>
      sftp.readFile('/etc/services', (e, data) => (e ? reject(e) : resolve(data))),
    )
  const before = await get()
  const all = 'find /etc -type f | sort | xargs md5sum'
  await apply(drift({ type: 'latency', form: 'jitter', ms: 100, spread: 1 }))
  t.ok(before.equals(await get()), 'requests that wait side by side are answered in order')
  await apply({ seed: 'altered-1', effects: [{ type: 'alteration', what: 'contents', share: 0.3 }, fixed(1)] })
  const list = (await asking.ask(all)).out
  t.equal((await asking.ask(all)).out, list)
  await apply(null)
  const clean = (await asking.ask(all)).out
  t.not(clean, list, 'some were others')
  t.equal(clean.split('\n').length, list.split('\n').length)
  const files = async () => {
    const { out } = await asking.ask(
      "find /var /home /srv /opt -type f -exec stat -c '%n|%s|%Y' {} + 2>/dev/null | sort",
    )
    return new Map(out.split('\n').flatMap((line) => (line ? [[line.split('|')[0] ?? '', line] as const] : [])))
  }
  const usual = await files()
  const kinds = new Set<string>()
  for (let i = 0; i < 12 && kinds.size < 3; i++) {
    // Which folders are others goes by the source, which is another at each run.
    await apply({ seed: `listed-${i}`, effects: [{ type: 'alteration', what: 'listing', share: 0.3 }] })
    const seen = await files()
    const missing = [...usual.keys()].filter((path) => !seen.has(path))
    const others = [...seen].filter(([path, line]) => !path.startsWith('/var/log/') && usual.get(path) !== line)
    for (const path of missing) {
      t.match((await asking.ask(`cat ${path}`)).out, `cat: ${path}: No such file or directory\n`)
      kinds.add('missing')
    }
    for (const [path, line] of others) {
      const [, size, time] = line.split('|').map(Number)
      const { out } = await asking.ask(`ls -l --time-style=+%s ${path}; cat ${path} | wc -c`)
      t.ok(out.endsWith(` ${size} ${time} ${path}\n${size}\n`), out)
      const over = await new Promise((resolve) => sftp.stat(path, (failed, stats) => resolve(failed ?? stats)))
      t.match(over, { size, mtime: time })
      kinds.add(usual.has(path) ? 'older' : 'added')
    }
  }
  t.same([...kinds].sort(), ['added', 'missing', 'older'])
  await apply(null)
  t.strictSame([...(await files()).keys()], [...usual.keys()], 'as before when it is cleared')
  asking.close()
})

t.test(
  'a source has a view of its own, hours pass without an answer, and a file that cannot be used changes nothing',
  async (t) => {
    const asking = await client()
    const usual = median((await asking.askOften('true', 9)).map(({ ms }) => ms))
    await apply(drift(fixed(500)), [{ source: `${lab.subnet}.1`, drift: null }])
    t.ok((await asking.ask('true')).ms < usual + 300, 'this one is spared')
    const other = await lab.ssh(user, password, 'true; date +%s%N')
    t.equal(other.code, 0)
    await lab.control('drift.json', '{"everyone":')
    const { drift: mark, driftError } = await lab.status((status) => status.driftError !== undefined, 'it is told')
    t.match(driftError, /drift\.json/)
    t.not(mark, 'none', 'what was in force stays')
    const hour = Number(
      new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: 'numeric', hourCycle: 'h23' }).format(),
    )
    const lost = asking.lost
    await apply(drift({ type: 'schedule', hours: [(hour + 5) % 24, (hour + 6) % 24] }))
    t.equal((await asking.ask('true')).status, 0, 'outside of its hours it does nothing')
    t.match(await connectionEnd(lab.decoy, 22), /^SSH-2\.0-OpenSSH/)
    await apply(drift({ type: 'schedule', hours: [hour, (hour + 1) % 24] }))
    await lost
    t.equal(await connectionEnd(lab.decoy, 22), 'ECONNRESET')
    await apply(null)
    t.match(await connectionEnd(lab.decoy, 22), /^SSH-2\.0-OpenSSH/)
  },
)
