import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Identity, keyPath, saveIdentity } from '../../agent/enrol/identity.ts'
import { writeFileAtomic } from '../../shared/files.ts'
import type { CleanUp } from './clean-up.ts'
import { end } from './controller.ts'

const program = join(import.meta.dirname, '../../agent/main.ts')
export const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' })

export type Gateway = { space: string; start(identity: Identity): Promise<ChildProcess> }

/** A network namespace with one card to this machine, which has `near` on it: where a real agent may filter packets. */
export function makeGateway(cleanUp: CleanUp, tag: string, near: string, far: string): Gateway {
  const space = `bench-gw-${tag}`
  ip('netns', 'add', space)
  cleanUp.add(() => ip('netns', 'del', space))
  ip('link', 'add', `bgw${tag}`, 'type', 'veth', 'peer', 'name', 'seg0', 'netns', space)
  ip('addr', 'add', `${near}/30`, 'dev', `bgw${tag}`)
  ip('link', 'set', `bgw${tag}`, 'up')
  ip('-n', space, 'addr', 'add', `${far}/30`, 'dev', 'seg0')
  for (const card of ['seg0', 'lo']) ip('-n', space, 'link', 'set', card, 'up')
  return {
    space,
    async start(identity) {
      const stateDir = await stateOf(identity, cleanUp, {})
      const inside = ['netns', 'exec', space, process.execPath, program, 'run', '--state', stateDir]
      const child = spawn('ip', [...inside, '--log-level', 'error'], { stdio: ['ignore', 'ignore', 'inherit'] })
      cleanUp.add(() => end(child))
      return child
    },
  }
}

/** A state folder as enrolment leaves it, with `config` as its agent.json. */
export async function stateOf(
  identity: Identity,
  cleanUp: CleanUp,
  config: object,
  parent: string = tmpdir(),
): Promise<string> {
  const stateDir = await mkdtemp(join(parent, 'marshlight-bench-agent-'))
  cleanUp.add(() => rm(stateDir, { recursive: true, force: true }))
  const { key, ...stored } = identity
  await writeFileAtomic(keyPath(stateDir), key, 0o600)
  await saveIdentity(stateDir, stored)
  await writeFile(join(stateDir, 'agent.json'), JSON.stringify(config))
  return stateDir
}
