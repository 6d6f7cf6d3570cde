import { readdir } from 'node:fs/promises'
import { MarshlightError, wordsOf } from '../../../shared/errors.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import { plainly } from '../../../shared/system-errors.ts'
import type { Engine } from '../../engine/port.ts'
import type { Check, CheckContext } from './check.ts'

async function engineOf({ config, clock, identity }: CheckContext): Promise<Engine> {
  const { makeDockerEngine } = await import('../../engine/index.ts')
  return makeDockerEngine({
    socket: config.docker.socket,
    agentLabel: identity?.agent ?? 'none',
    log: silentLog,
    clock,
    random: systemRandom,
  })
}

export const engine: Check = {
  name: 'Docker Engine',
  rests: ['rights'],
  withinMs: 10_000,
  roles: ['decoys'],
  async run(context) {
    try {
      const { version, apiVersion } = await (await engineOf(context)).ping()
      return { ok: true, detail: `${version} (API ${apiVersion}) at ${context.config.docker.socket}` }
    } catch (error) {
      const refused = plainly((error as Error).cause)
      const told = refused instanceof MarshlightError ? refused : error
      const next = told instanceof MarshlightError ? told.next : 'Start it: `systemctl start docker`.'
      return { ok: false, detail: refused === told ? (told as Error).message : wordsOf(told), next }
    }
  },
}

export const images: Check = {
  name: 'decoy images',
  rests: ['Docker Engine'],
  withinMs: 10_000,
  roles: ['decoys'],
  async run(context) {
    const { images: wanted, imageArchives } = context.config
    const missing: string[] = []
    try {
      const docker = await engineOf(context)
      for (const image of Object.values(wanted)) if (!(await docker.hasImage(image))) missing.push(image)
    } catch {
      return { ok: false, detail: 'cannot be looked at without the engine', next: 'Mend the Docker Engine first.' }
    }
    if (missing.length === 0) return { ok: true, detail: Object.values(wanted).join(', ') }
    const archives = (await readdir(imageArchives).catch(() => [])).filter((name) => name.endsWith('.tar'))
    if (archives.length > 0)
      return { ok: true, detail: `${missing.join(', ')} will be loaded from ${imageArchives} (${archives.join(', ')})` }
    const next = 'Ask the administrator for a release with the decoys’ images.'
    return { ok: false, detail: `missing: ${missing.join(', ')}; none in ${imageArchives} either`, next }
  },
}
