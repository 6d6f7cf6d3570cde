import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { makeDecoys } from '../../../agent/decoys/index.ts'
import type { Engine } from '../../../agent/engine/index.ts'
import { makeMemoryEngine } from '../../../agent/engine/memory-engine.ts'
import type { Report } from '../../../agent/spool/port.ts'
import { systemClock } from '../../../shared/clock.ts'
import { writeFileAtomic } from '../../../shared/files.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import type { StreamRecord } from '../../../shared/schemas/envelope.ts'
import type { Running } from '../../../shared/schemas/update.ts'

export type Told = StreamRecord<'state'>

/** The room on the engine in memory, with services that say they listen as soon as they are started. */
export async function makePlace(t: Test, net = '198.18.7') {
  const agent = newId()
  const stateDir = await mkdtemp(join(tmpdir(), 'decoys-unit-'))
  const memory = makeMemoryEngine(agent)
  for (const image of ['pod', 'cowrie', 'services']) memory.images.add(image)
  const told = new Map<string, string>()
  const answer = async (service: string, start: string) => {
    const [, decoy = '', kind] = /^marshlight-(.+)-(cowrie|services)$/.exec(service) ?? []
    const folder = join(stateDir, 'decoys', decoy)
    const own = kind === 'services' ? join(folder, 'services') : folder
    const context = JSON.parse(await readFile(join(folder, 'control', 'context.json'), 'utf8'))
    const persona = JSON.parse(await readFile(join(folder, 'control', 'persona.json'), 'utf8'))
    const status = { personaId: persona.id, personaVersion: persona.version, revision: context.revision }
    const mark = JSON.stringify([start, status])
    if (told.get(service) === mark) return
    told.set(service, mark)
    await writeFileAtomic(join(own, 'out', 'status.json'), JSON.stringify({ ...status, readyAt: start }))
  }
  const engine: Engine = {
    ...memory,
    exec: async () => ({ exitCode: 0, output: '' }),
  }
  // As the services do: look whether the control files changed, and say what is in force.
  const speaking = new Map<string, Promise<void>>()
  const services = setInterval(() => {
    for (const { running, name, startedAt } of memory.standing())
      if (running && !name.endsWith('-pod') && !speaking.has(name)) {
        const done = () => void speaking.delete(name)
        speaking.set(name, answer(name, startedAt ?? '').then(done, done))
      }
  }, 5)
  const records: Told[] = []
  const waiting = new Set<() => void>()
  const report: Report = async (_, some) => {
    records.push(...(some as readonly Told[]))
    for (const look of waiting) look()
  }
  const reported = (fits: (record: Told) => boolean, from = 0) =>
    new Promise<Told>((resolve) => {
      const look = () => {
        const found = records.slice(from).find(fits)
        if (!found) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  const taken = new Map<string, string>()
  let claim: (claim: { ip: string; mac: string }) => void = () => {}
  const make = (running: Running = { arch: 'amd64', agent: '1.0.0' }) =>
    makeDecoys(
      {
        engine,
        arp: {
          check: async (_, ip) => taken.get(ip),
          listen: async (_, onClaim, signal) => {
            claim = onClaim
            await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
          },
        },
        report,
        clock: systemClock,
        random: () => 0.5,
        log: silentLog,
        stateDir,
        images: { pod: 'pod', cowrie: 'cowrie', services: 'services', web: 'web' },
        nics: async () => [{ nic: 'eth7', cidr: `${net}.0/24`, address: `${net}.2` }],
        agent,
        running,
      },
      { firstRetryMs: 5, strayGraceMs: 50, lookEveryMs: 25 },
    )
  const decoys = make()
  t.teardown(async () => {
    await decoys.stop()
    clearInterval(services)
    await Promise.all(speaking.values())
    await rm(stateDir, { recursive: true, force: true })
  })
  return {
    agent,
    engine,
    memory,
    decoys,
    make,
    records,
    reported,
    taken,
    stateDir,
    claim: (one: Parameters<typeof claim>[0]) => claim(one),
  }
}
