import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Identity } from '../../agent/enrol/index.ts'
import type { ApiClient } from '../../controller/cli/client.ts'
import { placeCard } from '../../controller/segments/place.ts'
import { databaseIn, migrations } from '../../controller/serve/database.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import { bundles } from '../../provisioning/build/bundle.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import type { Segment } from '../lab/decoys-segment.ts'
import type { CleanUp } from './clean-up.ts'
import { end } from './controller.ts'
import { stateOf } from './gateway.ts'
import { until } from './until.ts'

const run = promisify(execFile)

export type Appliance = { child: ChildProcess; stateDir: string }

/**
 * The agent as it is shipped, one bundled file with its flags, on this machine's engine with the segment's card. Its state
 * folder is made in `parent`, where given.
 */
export async function startAppliance(
  cleanUp: CleanUp,
  segment: Segment,
  identity: Identity,
  settings: object = {},
  parent?: string,
): Promise<Appliance> {
  const { files } = await bundles['agent-bundle']()
  const program = files['agent.mjs'] ?? ''
  const stateDir = await stateOf(identity, cleanUp, { nics: [segment.nic], ...settings }, parent)
  const { flags, env } = await launcher()
  const argv = [...flags, program]
  cleanUp.add(() => run(process.execPath, [...argv, 'cleanup', '--state', stateDir]))
  const child = spawn(process.execPath, [...argv, 'run', '--state', stateDir, '--log-level', 'error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  })
  cleanUp.add(() => end(child, 25_000))
  return { child, stateDir }
}

/** What the appliance's own launcher gives to Node: its flags, and what it exports. */
export async function launcher(): Promise<{ flags: string[]; env: Record<string, string> }> {
  const text = await readFile(join(import.meta.dirname, '../../agent/node-settings.sh'), 'utf8')
  const flags = /^flags='(.*)'$/m.exec(text)?.[1]
  if (flags === undefined) throw new Error('agent/node-settings.sh does not set the flags as expected')
  const exported = text.matchAll(/^export (\w+)=(\S+)$/gm)
  return { flags: flags.split(' '), env: Object.fromEntries([...exported].map(([, name, value]) => [name, value])) }
}

/** Tells the controller's database, before it runs, where the agent's card is, as the first scan would. */
export async function knowSegment(dataDir: string, agent: string, segment: Segment): Promise<void> {
  const { cidr, nic, address } = segment
  const store = openSqlite(databaseIn(dataDir), migrations)
  try {
    const card = { cidr, nic, address, mac: '02:00:00:00:00:01', dns: [] }
    await store.tx((sql) => placeCard(sql, agent, card, Date.now()))
  } finally {
    await store.close()
  }
}

type Shown = { id: string; ip: string; phase: string; ssh?: string; state?: { reason?: string } }

/** Asks the controller for decoys of the segment until `count` with SSH are ready; with the persona of each. */
export async function deployDecoys(api: ApiClient, segment: string, count: number) {
  const found: { id: string; ip: string; persona: Persona }[] = []
  while (found.length < count) {
    const done = await api.post<{ decoy: string; ip: string; persona: string }>('/v1/decoys', { segment })
    await until(
      async () => (await api.get<Shown>(`/v1/decoys/${done.decoy}`)).phase === 'ready',
      `the decoy ${done.ip} is ready`,
      60,
    )
    const { persona } = await api.get<{ persona: Persona }>(`/v1/personas/${done.persona}`)
    const opens = persona.users.some(({ passwords }) => passwords.length > 0)
    if (persona.ssh && opens) found.push({ id: done.decoy, ip: done.ip, persona })
    else await api.post(`/v1/decoys/${done.decoy}/retire`, { reason: 'it has no SSH to log in to' })
  }
  return found
}
