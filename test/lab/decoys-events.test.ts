import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { makeSessions } from '../../agent/sessions/index.ts'
import { makeSpool } from '../../agent/spool/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { recordsOf, until } from '../unit/sessions/places.ts'
import { decoyOf, makeAppliance, phase, planOf, settled } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'

t.setTimeout(120_000)

t.test('what an attacker does at a decoy is in the spool while he does it', async (t) => {
  const segment = makeSegment(t)
  const { agent, reported, decoys, stateDir } = await makeAppliance(t, segment)
  const spool = makeSpool({ folder: join(stateDir, 'spool'), clock: systemClock, log: silentLog })
  const { signal } = new AbortController()
  await spool.start(signal)
  const sessions = makeSessions({
    spool,
    log: silentLog,
    clock: systemClock,
    stateDir,
    decoys: decoys.sources,
    release: decoys.release,
  })
  await decoys.start(signal)
  await sessions.start(signal)
  t.teardown(async () => {
    await sessions.stop()
    await spool.stop()
  })
  const decoy = decoyOf(segment, 20, 'attic-nas')
  const startedAt = performance.now()
  decoys.applyPlan(planOf(agent, 1, [decoy]))
  await reported(settled(1))
  t.comment(`command to ready: ${Math.round(performance.now() - startedAt)} ms`)

  const to = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', `root@${decoy.ip}`]
  const inNeighbour = ['netns', 'exec', segment.namespace, 'sshpass', '-p', 'toor!23', 'ssh', '-tt', ...to]
  const attacker = spawn('ip', inNeighbour, { stdio: ['pipe', 'ignore', 'ignore'] })
  t.teardown(() => attacker.kill('SIGKILL'))
  await until(spool, 'events', (events) => events.some(({ kind }) => kind === 'login.success'))
  const typedAt = Date.now()
  attacker.stdin.write('uname -a\n')
  const typed = await until(spool, 'events', (events) => events.some(({ kind }) => kind === 'command'))
  const seenAfter = Date.now() - typedAt
  const command = typed.find(({ kind }) => kind === 'command')
  t.match(command, { decoy: decoy.id, persona: decoy.persona, personaVersion: 1, revision: 1, command: 'uname -a' })
  t.ok(seenAfter < 500, `key press to spool: ${seenAfter} ms`)
  attacker.stdin.end('exit\n')
  await once(attacker, 'exit')
  const files = await until(spool, 'files', (parts) => parts.some(({ kind }) => kind === 'tty'))
  t.match(files[0], { decoy: decoy.id, session: command?.session })

  decoys.applyPlan(planOf(agent, 2, []))
  await reported(phase(decoy.id, 'removed'))
  await reported(settled(2))
  const kinds = (await recordsOf(spool, 'events')).map(({ kind }) => kind)
  t.ok(kinds.includes('session.close'), 'the last events of the removed decoy came too')
})
