import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { alertRoutes } from '../../../controller/api/routes/alerts.ts'
import { blockRoutes } from '../../../controller/api/routes/blocks.ts'
import { sessionRoutes } from '../../../controller/api/routes/sessions.ts'
import { sourceRoutes } from '../../../controller/api/routes/sources.ts'
import { makeApi } from '../../../controller/api/server.ts'
import { makeClient } from '../../../controller/cli/client.ts'
import { alertsCommand } from '../../../controller/cli/commands/alerts.ts'
import { blocksCommand } from '../../../controller/cli/commands/blocks.ts'
import { sessionsCommand } from '../../../controller/cli/commands/sessions.ts'
import { sourcesCommand } from '../../../controller/cli/commands/sources.ts'
import { runProgram } from '../../../controller/cli/program.ts'
import { storePart } from '../../../controller/store/blobs.ts'
import { agentA, breakIn, decoyA, enrol, event, makeChain } from './chain.ts'

type TestLike = Parameters<typeof makeChain>[0]

/** A controller's API with a break-in in its tables, and the command line on it. */
async function controller(t: TestLike) {
  const chain = makeChain(t)
  await enrol(chain)
  await chain.feed('events', breakIn())
  const socket = join(chain.deps.dataDir, 'api.sock')
  const requests = { send: () => Promise.reject(new Error('no agent is asked here')) }
  const api = makeApi([sessionRoutes, sourceRoutes, blockRoutes, alertRoutes], { ...chain.deps, requests }, { socket })
  t.teardown(() => api.stop())
  await api.start(new AbortController().signal)

  async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    const [stdout, stderr] = [process.stdout.write, process.stderr.write]
    let [out, err] = ['', '']
    process.stdout.write = (text: string | Uint8Array) => {
      out += text
      return true
    }
    process.stderr.write = (text: string | Uint8Array) => {
      err += text
      return true
    }
    try {
      const code = await runProgram(
        ['--api', socket, ...argv],
        [sessionsCommand, sourcesCommand, blocksCommand, alertsCommand],
      )
      return { code, out, err }
    } finally {
      process.stdout.write = stdout
      process.stderr.write = stderr
    }
  }
  return { ...chain, socket, run }
}

t.test('every list and every view fits 80 columns and says what it should', async (t) => {
  const { run } = await controller(t)
  const table: [string[], RegExp][] = [
    [['sessions', 'ls'], /aaaaaaaaaaaa.*203\.0\.113\.9.*root/],
    [['sessions', 'show', 'aaaa'], /SSH-2\.0-Go[\s\S]*wget http/],
    [['sessions', 'files'], /abababababab/],
    [['sessions', 'files', 'abab'], /198\.51\.100\.7/],
    [['sources', 'ls', '--min-score', '50'], /203\.0\.113\.9 +9\d/],
    [['sources', 'show', '203.0.113.9'], /fetched a file/],
    [['sources', 'exempt'], /198\.18\.1\.10\/32/],
    [['risk', 'thresholds'], /block +80 +64/],
    [['blocks', 'ls', '--kind', 'all'], /reconfigure/],
    [['blocks', 'show', '203.0.113.9'], /No agent has read it back/],
    [
      ['block', '203.0.113.77', '--for', '1h', '--dry-run'],
      /Would block 203\.0\.113\.77\/32 until 2026-03-01 11:00:00Z/,
    ],
    [['alerts', 'ls'], /critical.*203\.0\.113\.9 reached risk/],
    [['alerts', 'show', '0'], /because +fetched a file/],
  ]
  for (const [argv, wanted] of table) {
    const { code, out, err } = await run(...argv)
    t.equal(code, 0, `${argv.join(' ')} ${err}`)
    t.match(out, wanted, argv.join(' '))
    // Values beside a label may be long and wrap; tables may not.
    const long = out.split('\n').filter((line) => line.length > 80 && !/^\S* {2}/.test(line))
    t.same(long, [], `${argv.join(' ')} fits`)
    const json = await run('--json', ...argv)
    t.doesNotThrow(() => JSON.parse(json.out), `${argv.join(' ')} --json`)
  }
})

t.test('blocking, refusing, undoing and excepting go through the command line', async (t) => {
  const { run, blocks, store, heard } = await controller(t)
  const entries = async () => (await blocks.composeBlocks(store, agentA)).entries.map(({ cidr }) => cidr).sort()
  t.match(await run('block', '203.0.113.77', '--for', '1h', '--reason', 'x'), { code: 0, out: /^Blocked 203/ })
  t.same(await entries(), ['203.0.113.77/32', '203.0.113.9/32'])
  t.match(await run('block', '198.18.1.1'), { code: 1, err: /never blocked[\s\S]*narrower/ })
  t.match(await run('block', 'nonsense'), { code: 2, err: /cidr is "nonsense"/ })
  t.match(await run('unblock', '203.0.113.77', '--dry-run'), { out: /Would undo/ })
  t.equal((await entries()).length, 2)
  t.match(await run('unblock', '203.0.113.77'), { out: /is undone/ })
  t.same(await entries(), ['203.0.113.9/32'])
  t.match(await run('unblock', '192.0.2.200'), { code: 1, err: /no decision 192\.0\.2\.200/ })
  t.ok(heard.filter(({ name }) => name === 'blocks-changed').length >= 3)
  t.match(await run('sources', 'exempt', '203.0.113.0/24'), { code: 2, err: /owner/ })
  t.match(
    await run('sources', 'exempt', '203.0.113.0/24', '--owner', 'ops', '--reason', 'scan', '--window', '01:00-25:00'),
    { code: 2, err: /untilMinute is "25:00"/ },
  )
  t.match(await run('sources', 'exempt', '203.0.113.0/24', '--owner', 'ops', '--reason', 'scan'), { out: /Exempted/ })
  t.match(await run('sources', 'show', '203.0.113.9'), { out: /\(exempt\)/ })
  t.match(await run('alerts', 'ack', '0', '--why', 'ours'), { out: /acknowledged/ })
  t.match(await run('alerts', 'close', '0'), { out: /closed/ })
})

t.test('a replay is safe in the terminal and raw only in a file; a captured file is never printed', async (t) => {
  const { run, store, feed, deps } = await controller(t)
  const keep = async (kind: 'tty' | 'capture', data: Buffer) => {
    const sha256 = createHash('sha256').update(data).digest('hex')
    const part = {
      type: 'file' as const,
      at: '2026-03-01T10:00:01.000Z',
      decoy: decoyA,
      session: 'aaaaaaaaaaaa',
      kind,
      sha256,
      size: data.length,
      originalSize: data.length,
      part: 0,
      parts: 1,
      data: data.toString('base64'),
    }
    await store.tx((sql) => storePart(sql, agentA, part, part.at))
    await feed('files', [part])
    return sha256
  }
  const head = Buffer.alloc(24)
  const text = Buffer.from('\u001b[31mhi\u001b[0m\u001b[2J\r\n')
  head.writeInt32LE(3, 0)
  head.writeInt32LE(text.length, 8)
  head.writeInt32LE(2, 12)
  await keep('tty', Buffer.concat([head, text]))
  t.match(await run('sessions', 'replay', 'aaaa', '--speed', '0'), { code: 0, out: '\u001b[31mhi\u001b[0m\\x1b[2J\n' })
  const cast = join(deps.dataDir, 'x.cast')
  t.match(await run('sessions', 'replay', 'aaaa', '--raw-file', cast), { code: 0, out: /It is raw/ })
  t.match(readFileSync(cast, 'utf8'), '\\u001b[2J')

  const malware = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x00])
  const sha256 = await keep('capture', malware)
  await feed('events', [event('file.download', { sha256, size: 5, url: 'http://198.51.100.7/y' })])
  const out = join(deps.dataDir, 'sample')
  t.match(await run('sessions', 'files', sha256.slice(0, 8), '--out', out), { code: 0, out: /never run it/ })
  t.same(readFileSync(out), malware)
  t.equal(statSync(out).mode & 0o777, 0o600)
  t.match(await run('sessions', 'files', sha256, '--out', out), { code: 1, err: /is there already/ })
})

t.test('a follower of alerts sees those that stand and those that come', async (t) => {
  const { socket, feed } = await controller(t)
  const halt = new AbortController()
  const seen: string[] = []
  for await (const alert of makeClient(() => ({ socket })).follow<{ subject: string }>(
    '/v1/alerts?follow=true',
    halt.signal,
  )) {
    seen.push(alert.subject)
    if (seen.length === 1) void feed('events', breakIn({ session: 'other', src: { ip: '203.0.113.44' } }))
    else halt.abort()
  }
  t.same(seen, ['203.0.113.9', '203.0.113.44'])
})
