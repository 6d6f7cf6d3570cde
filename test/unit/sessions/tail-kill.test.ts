import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { systemRandom } from '../../../shared/random.ts'
import { eventLine, makePlace, recordsOf, runSessions, until } from './places.ts'

const kills = Number(process.env.KILLS ?? 12)

t.test(`every line comes exactly once through ${kills} kill -9 at random moments`, async (t) => {
  t.setTimeout(120_000)
  const place = await makePlace(t)
  const { id, outDir, persona } = place.source
  let child: ChildProcess | undefined
  t.teardown(() => child?.kill('SIGKILL'))
  const start = async () => {
    const script = join(import.meta.dirname, 'tail-process.ts')
    child = spawn(process.execPath, [script, place.stateDir, outDir, id, persona], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (child.stdout) await once(child.stdout, 'data')
  }

  let written = 0
  let torn = 0
  let writing = true
  // As Cowrie writes: a line in one write, a new file now and then, sometimes after its end in the middle of a line.
  const write = async () => {
    for (let file = 1; writing; file++) {
      await writeFile(place.eventPath(file), '')
      for (let n = 0; n < 400 && writing; n++) {
        await appendFile(place.eventPath(file), `${eventLine(written)}\n`)
        written++
        if (systemRandom() < 0.05) await sleep(1)
      }
      if (systemRandom() < 0.5) continue
      await appendFile(place.eventPath(file), eventLine(-1).slice(0, 30))
      torn++
    }
  }
  const writer = write()
  for (let n = 0; n < kills; n++) {
    await start()
    // The moment of the kill is what is random here; there is nothing to wait for.
    await sleep(systemRandom() * 150)
    child?.kill('SIGKILL')
    if (child) await once(child, 'exit')
  }
  writing = false
  await writer
  const spool = await place.openSpool()
  t.teardown(() => spool.stop())
  await runSessions(t, place, spool)
  const events = await until(spool, 'events', (found) => found.length >= written)
  const wanted = Array.from({ length: written }, (_, n) => `echo ${n}`)
  t.strictSame(
    events.map(({ command }) => command),
    wanted,
    `${written} lines, ${torn} torn ones`,
  )
  t.ok(written > 500, 'the writer was busy')
  t.ok((await recordsOf(spool, 'state')).length >= torn - 1, 'torn lines are told')
})
