import { execFileSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { makeCapture } from '../../agent/capture/index.ts'
import type { Report } from '../../agent/spool/port.ts'
import { systemClock } from '../../shared/clock.ts'
import { makeLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { FilePart } from '../../shared/schemas/event.ts'
import { type FeatureWindow, featureWindow } from '../../shared/schemas/observation.ts'
import type { PersonaService } from '../../shared/schemas/persona.ts'
import { makeAuditLab } from './audit-lab.ts'
import { personaOf } from './cowrie-persona.ts'
import { eventually } from './cowrie-pod.ts'
import { decoyOf, makeAppliance, planOf, settled } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'

const web: PersonaService = {
  ...{ kind: 'http', port: 80, product: 'lighttpd', version: '1.4.69', settings: { title: 'attic' } },
}

/** Two decoys of one card, their capture, and audits that look at them; `windows` and `parts` fill as they come. */
export async function makeCaptureLab(t: Test) {
  const segment = makeSegment(t)
  const { agent, engine, reported, decoys, stateDir } = await makeAppliance(t, segment)
  const two = decoyOf(segment, 21, 'cellar-db')
  const one = decoyOf(segment, 20, 'attic-nas', {
    services: ['cowrie', 'services'],
    egress: [{ cidr: `${two.ip}/32`, proto: 'tcp', port: 22 }],
  })
  const persona = { ...personaOf('attic-nas', 1), services: [web] }
  const windows: FeatureWindow[] = []
  const parts: FilePart[] = []
  const report: Report = async (stream, records) => {
    t.equal(stream, 'features')
    for (const record of records) windows.push(featureWindow.parse(record))
  }
  const capture = makeCapture({
    pods: () => decoys.pods(),
    report,
    spool: {
      append: async (_, records) => void parts.push(...(records as readonly unknown[] as FilePart[])),
      standing: () => ({ epoch: agent, acknowledged: parts.length, next: parts.length }),
    },
    clock: systemClock,
    random: systemRandom,
    log: makeLog('capture-lab', process.env.LAB_LOG ? 'debug' : 'silent'),
    stateDir,
    isOwnLook: (...one) => audits.looks.isOwn(...one),
  })
  t.teardown(() => capture.stop())
  const observe = { capture: true, ringMb: 4, ringHours: 1, windowSeconds: 10, segments: [], mirrorPorts: [] }
  const plan = (revision: number, more: Partial<Plan> = {}): Plan => ({
    ...planOf(agent, revision, [one, two], [persona]),
    observe: { ...observe, probeEverySeconds: 0 },
    ...more,
  })
  const audits = makeAuditLab(segment, () => plan(1))
  t.teardown(() => audits.audits.stop())
  const apply = (next: Plan) => {
    decoys.applyPlan(next)
    capture.applyPlan(next)
  }
  const podOf = (decoy: string) => decoys.pods().find((pod) => pod.decoy === decoy)
  const count = async (n: number) =>
    eventually(async () => (capture.processes().length === n ? true : undefined), `${n} processes capture`, 30)
  /** The window of this port in which something happened. */
  const busy = (decoy: string, port: number | undefined, from = 0) =>
    eventually(
      async () =>
        windows
          .slice(from)
          .find(
            ({ subject, profile }) =>
              subject.kind === 'decoy' &&
              subject.decoy === decoy &&
              subject.port === port &&
              Object.values(profile).some((one) => one.form === 'sample' && one.n > 0),
          ),
      `a window of port ${port}`,
      30,
    )

  await decoys.start(new AbortController().signal)
  await capture.start(new AbortController().signal)
  apply(plan(1))
  t.match(await reported(settled(1)), { outcome: 'applied' })
  await count(2)
  const ringFolder = (decoy: string) => join(stateDir, 'capture', decoy)
  const inRing = async (decoy: string, filter: string) => {
    // Nothing but a visit begins it.
    const names = await readdir(ringFolder(decoy)).catch(() => [])
    return names.flatMap((name) =>
      execFileSync('tcpdump', ['-n', '-r', join(ringFolder(decoy), name), ...filter.split(' ')], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
        .split('\n')
        .filter(Boolean),
    )
  }
  return {
    segment,
    engine,
    stateDir,
    one,
    two,
    windows,
    parts,
    capture,
    audits,
    plan,
    apply,
    podOf,
    count,
    busy,
    ringFolder,
    inRing,
  }
}
