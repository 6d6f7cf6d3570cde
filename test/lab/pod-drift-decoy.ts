import { execFileSync } from 'node:child_process'
import type { Test } from 'tap'
import { podName } from '../../agent/decoys/specs.ts'
import type { DriftEffect, DriftView } from '../../shared/schemas/drift.ts'
import type { Persona, PersonaService } from '../../shared/schemas/persona.ts'
import { personaOf } from './cowrie-persona.ts'
import { decoyOf, makeAppliance, planOf, settled } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'

export const page = '<h1>Files</h1>\n<p>12345 files in 678 folders</p>\n'
const body = { path: '/', status: 200, type: 'text/html', body: page }
const site: PersonaService = {
  kind: 'http',
  port: 80,
  product: 'nginx',
  version: '1.22.1',
  settings: {},
  pages: [body],
}

const files: PersonaService = { kind: 'ftp', port: 21, product: 'vsftpd', version: '3.0.3', settings: {}, pages: [] }

const datagrams = (['ntp', 'tftp'] as const).map(
  (kind, i): PersonaService => ({ kind, port: [123, 69][i] ?? 0, product: kind, version: '', settings: {}, pages: [] }),
)

/** A real decoy with a web page and files in a segment of its own, whose drift can be changed by plan after plan. */
export async function makeDriftingDecoy(t: Pick<Test, 'teardown'>, third?: number) {
  const segment = makeSegment(t, third)
  const appliance = await makeAppliance(t, segment, {}, process.env.LAB_POD_IMAGE)
  const decoy = decoyOf(segment, 20, 'files', { services: ['services'] })
  const persona: Persona = {
    ...personaOf('files', 1),
    ssh: undefined,
    telnet: undefined,
    services: [site, files, ...datagrams],
  }
  let revision = 0
  /** The plan with these effects for everyone, and `views`; gives its revision and when it was handed over. */
  const drift = (effects: DriftEffect[], views: DriftView[] = [], to = appliance.decoys) => {
    revision++
    const everyone = effects.length === 0 ? null : { seed: 'lab', effects }
    to.applyPlan(planOf(appliance.agent, revision, [{ ...decoy, drift: { everyone, views } }], [persona]))
    return { revision, at: Date.now() }
  }
  const applied = async (effects: DriftEffect[], views: DriftView[] = []) =>
    appliance.reported(settled(drift(effects, views).revision), 0, 60)
  const pod = podName(decoy.id)
  /** The processes of drift in the pod, as the machine numbers them. */
  const processes = (): number[] =>
    execFileSync('docker', ['top', pod, '-eo', 'pid,args'], { encoding: 'utf8' })
      .split('\n')
      .flatMap((line) => (/drift-on/.test(line) ? [Number.parseInt(line, 10)] : []))
  const inPod = (...argv: string[]) => execFileSync('docker', ['exec', pod, ...argv], { encoding: 'utf8' })
  /** The fingerprint that a scan takes, without what is random or the time. */
  const looks = () =>
    [...segment.onNeighbour('nmap', '-n', '-Pn', '-O', '-d', '-p', '80,81', decoy.ip).matchAll(/^OS:(.*)$/gm)]
      .map(([, part]) => part)
      .join('')
      .replace(/\b(SP|ISR|TS|CU|TM|GCD)=\w+/g, '$1')
  /** The decoy's routes, as the machine sees them. */
  const waysOut = () => {
    const pid = execFileSync('docker', ['inspect', '-f', '{{.State.Pid}}', pod], { encoding: 'utf8' }).trim()
    return execFileSync('nsenter', ['-t', pid, '-n', 'ip', '-4', 'route'], { encoding: 'utf8' })
  }
  return { ...appliance, segment, decoy, persona, pod, drift, applied, processes, inPod, looks, waysOut }
}

export const latency = (ms: number): DriftEffect => ({ type: 'latency', form: 'fixed', ms, spread: 0 })
