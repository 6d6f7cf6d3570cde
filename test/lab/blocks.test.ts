import { fileURLToPath } from 'node:url'
import t from 'tap'
import { newId } from '../../shared/ids.ts'
import type { BlockList } from '../../shared/schemas/desired-state.ts'
import { makeSegment, printed, run, runnerIn, spawnIn, succeeds, until } from './namespace-segment.ts'

const runner = fileURLToPath(new URL('./blocks-runner.ts', import.meta.url))
const echo = `require('node:net').createServer((c)=>c.on('error',()=>{}).pipe(c)).listen(2222,'0.0.0.0',()=>console.log('up'))`
/** Connects, sends a line every 20 ms, prints each answer. */
const talker = (ip: string) =>
  `const c=require('node:net').connect(2222,'${ip}');c.on('data',(d)=>process.stdout.write(d));setInterval(()=>c.write('x'),20)`

const list = (
  revision: number,
  entries: { cidr: string; seconds: number }[],
  neverBlock: string[] = [],
): BlockList => ({
  kind: 'blocks',
  agent: newId(),
  revision,
  issuedAt: new Date().toISOString(),
  expiresAt: new Date(Date.now() + 3600_000).toISOString(),
  entries: entries.map(({ cidr, seconds }) => ({
    id: newId(),
    cidr,
    until: new Date(Date.now() + seconds * 1000).toISOString(),
  })),
  neverBlock,
})

const connects = (space: string, ip: string) =>
  succeeds('ip', 'netns', 'exec', space, process.execPath, '-e', probe(ip))
const probe = (ip: string) =>
  `const c=require('node:net').connect({host:'${ip}',port:2222,timeout:700});c.on('connect',()=>process.exit(0));c.on('error',()=>process.exit(1));c.on('timeout',()=>process.exit(1))`
const arps = (space: string, ip: string) =>
  succeeds('ip', 'netns', 'exec', space, 'arping', '-c', '1', '-w', '1', '-I', 'seg0', ip)

const revisionIs = (revision: number) => (one: Record<string, unknown>) =>
  one.type === 'document' && one.revision === revision

t.test(
  'a decoy goes dark to a blocked source only, until the entry ends, over restarts, and cleanup lifts all',
  async (t) => {
    const segment = await makeSegment(t, 'blk')
    const appliance = await segment.host('app', '198.18.40.2/24')
    const source = await segment.host('src', '198.18.40.66/24')
    const other = await segment.host('oth', '198.18.40.67/24')
    const decoy = await segment.macvlan('dec', appliance, '198.18.40.9/24', '52:54:00:40:00:09')
    await printed(spawnIn(decoy, process.execPath, '-e', echo), /up/)
    const options = { role: 'decoys', stateDir: t.testdir(), reconcileEverySeconds: 1 }
    let agent = runnerIn(t, appliance, runner, options)
    await agent.next((one) => one.type === 'started')
    t.ok(await connects(source, '198.18.40.9'), 'the source connects before')

    const open = spawnIn(source, process.execPath, '-e', talker('198.18.40.9'))
    let answers = 0
    open.stdout?.on('data', (chunk: Buffer) => {
      answers += chunk.length
    })
    await until('the open connection answers', async () => answers > 3)

    agent.send({ apply: list(1, [{ cidr: '198.18.40.66/32', seconds: 600 }]) })
    const applied = await agent.next(revisionIs(1))
    t.match(applied, { outcome: 'applied', count: 1 })
    const before = answers
    t.notOk(await connects(source, '198.18.40.9'), 'a new connection fails')
    t.notOk(await arps(source, '198.18.40.9'), 'it does not answer ARP')
    t.ok(answers <= before + 1, `the open connection stalls (${answers - before} answers since)`)
    t.ok(await connects(other, '198.18.40.9'), 'another source still connects')

    agent.send({
      apply: list(2, [
        { cidr: '198.18.40.66/32', seconds: 600 },
        { cidr: '198.18.40.0/28', seconds: 60 },
      ]),
    })
    t.match(
      await agent.next(revisionIs(2)),
      { outcome: 'applied', code: 'NEVER_BLOCK', count: 1 },
      'own address: refused',
    )
    t.match(await agent.next((one) => one.code === 'NEVER_BLOCK' && one.type === 'notice'), { level: 'warning' })

    await agent.kill()
    t.notOk(await connects(source, '198.18.40.9'), 'a killed agent blocks on')
    await run('ip', 'netns', 'exec', appliance, 'nft', 'flush', 'ruleset')
    t.ok(await connects(source, '198.18.40.9'), 'as after a reboot, nothing blocks')
    agent = runnerIn(t, appliance, runner, options)
    t.match(await agent.next(revisionIs(2)), { outcome: 'applied' }, 'the restarted agent puts its list in force again')
    t.notOk(await connects(source, '198.18.40.9'), 'and the source is shut out')

    await run('ip', 'netns', 'exec', appliance, 'nft', 'delete', 'table', 'netdev', 'marshlight')
    t.match(await agent.next((one) => one.code === 'BLOCKS_REPAIRED'), { level: 'warning', data: { entries: 1 } })
    t.notOk(await connects(source, '198.18.40.9'), 'a table that somebody removed is back')

    agent.send({ apply: list(3, [{ cidr: '198.18.40.66/32', seconds: 2 }]) })
    await agent.next(revisionIs(3))
    t.notOk(await connects(source, '198.18.40.9'), 'a shorter end is taken over, and holds until then')
    await until('the entry ends by itself', () => connects(source, '198.18.40.9'), 10)

    agent.send({
      apply: list(4, [
        { cidr: '198.18.40.66/32', seconds: 600 },
        { cidr: '198.18.40.64/30', seconds: 300 },
      ]),
    })
    t.match(await agent.next(revisionIs(4)), { outcome: 'applied', count: 2 }, 'entries may overlap')
    t.notOk(await connects(other, '198.18.40.9'))
    agent.send({ cleanup: true })
    await agent.ended
    t.equal(
      (await run('ip', 'netns', 'exec', appliance, 'nft', 'list', 'ruleset')).trim(),
      '',
      'nothing of ours is left',
    )
    t.ok(await connects(source, '198.18.40.9'))
  },
)

t.test('an enforcer shuts a source out on the forward path, open connections too', async (t) => {
  const near = await makeSegment(t, 'blkn')
  const far = await makeSegment(t, 'blkf')
  const source = await near.host('src', '198.18.40.10/25')
  const gateway = await near.host('gw', '198.18.40.1/25')
  const server = await far.host('srv', '198.18.40.200/25')
  const port = ['link', 'add', 'portgw', 'type', 'veth', 'peer', 'name', 'far0', 'netns', gateway]
  await run('ip', '-n', far.bridge, ...port)
  await run('ip', '-n', far.bridge, 'link', 'set', 'portgw', 'master', 'br0', 'up')
  await run('ip', '-n', gateway, 'address', 'add', '198.18.40.129/25', 'dev', 'far0')
  await run('ip', '-n', gateway, 'link', 'set', 'far0', 'up')
  await run('ip', 'netns', 'exec', gateway, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
  await run('ip', '-n', source, 'route', 'add', 'default', 'via', '198.18.40.1')
  await run('ip', '-n', server, 'route', 'add', 'default', 'via', '198.18.40.129')
  await printed(spawnIn(server, process.execPath, '-e', echo), /up/)
  const agent = runnerIn(t, gateway, runner, { role: 'enforcer', stateDir: t.testdir(), reconcileEverySeconds: 30 })
  await agent.next((one) => one.type === 'started')

  const open = spawnIn(source, process.execPath, '-e', talker('198.18.40.200'))
  let answers = 0
  open.stdout?.on('data', (chunk: Buffer) => {
    answers += chunk.length
  })
  await until('the open connection answers', async () => answers > 3)
  agent.send({ apply: list(1, [{ cidr: '198.18.40.10/32', seconds: 600 }], ['198.18.40.200/32']) })
  t.match(await agent.next(revisionIs(1)), { outcome: 'applied', count: 1 })
  const before = answers
  t.notOk(await connects(source, '198.18.40.200'))
  t.ok(answers <= before + 1, `the open connection stalls (${answers - before} answers since)`)
  agent.send({ apply: list(2, [{ cidr: '198.18.40.200/32', seconds: 600 }], ['198.18.40.200/32']) })
  t.match(await agent.next(revisionIs(2)), { outcome: 'refused', count: 0, code: 'NEVER_BLOCK' })
  t.ok(await connects(source, '198.18.40.200'), 'a list without it lifts the block')
  agent.send({ cleanup: true })
  await agent.ended
})

t.test(
  'each of many lists is told as in force, one of 5,000 entries too; how long it took is told as well',
  async (t) => {
    const segment = await makeSegment(t, 'blkq')
    const appliance = await segment.host('app', '198.18.40.2/24')
    const agent = runnerIn(t, appliance, runner, { role: 'decoys', stateDir: t.testdir(), reconcileEverySeconds: 30 })
    await agent.next((one) => one.type === 'started')
    const many = Array.from({ length: 5_000 }, (_, i) => ({ cidr: `198.19.${i >> 8}.${i & 255}/32`, seconds: 3600 }))
    const took = { small: [] as number[], large: [] as number[] }
    for (let revision = 1; revision <= 60; revision++) {
      const entries = [{ cidr: `198.18.40.${100 + revision}/32`, seconds: 600 }]
      agent.send({ apply: list(revision, revision > 30 ? [...many, ...entries] : entries) })
      const record = await agent.next(revisionIs(revision))
      if (record.outcome !== 'applied' || record.count !== (revision > 30 ? 5_001 : 1)) t.fail(JSON.stringify(record))
      took[revision > 30 ? 'large' : 'small'].push(record.tookMs as number)
    }
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number
    t.comment(
      `median ${median(took.small).toFixed(1)} ms with one entry, ${median(took.large).toFixed(1)} ms with 5,000`,
    )
    t.same([took.small.length, took.large.length], [30, 30])
  },
)
