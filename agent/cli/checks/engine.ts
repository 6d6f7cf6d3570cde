import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError, wordsOf } from '../../../shared/errors.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import { plainly } from '../../../shared/system-errors.ts'
import type { Engine } from '../../engine/port.ts'
import { type Check, type CheckContext, type Outcome, usualMs } from './check.ts'

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
  withinMs: usualMs,
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
  withinMs: usualMs,
  roles: ['decoys'],
  async run(context) {
    const { images: wanted, imageArchives: folder } = context.config
    const missing: string[] = []
    try {
      const docker = await engineOf(context)
      for (const image of Object.values(wanted)) if (!(await docker.hasImage(image))) missing.push(image)
    } catch {
      return { ok: false, detail: 'cannot be looked at without the engine', next: 'Mend the Docker Engine first.' }
    }
    if (missing.length === 0) return { ok: true, detail: Object.values(wanted).join(', ') }
    const archives = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.tar'))
    const sizeOf = (name: string) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      )
    const sizes = await Promise.all(archives.map(sizeOf))
    // Images and state lie on one card, unless somebody put them apart.
    const free = await statfs(context.stateDir).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Number.POSITIVE_INFINITY,
    )
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    const some = missing.length < Object.values(wanted).length
    return judgeMissing({ missing, some, folder, archives, bytes, free })
  },
}

/**
 * `bytes`: of the archives, which loaded take as much again; `free`: where they are loaded to; `some`: of the images are
 * there, and with them layers that the missing ones may share.
 */
export function judgeMissing(o: {
  missing: readonly string[]
  some: boolean
  folder: string
  archives: readonly string[]
  bytes: number
  free: number
}): Outcome {
  const [missing, mb] = [o.missing.join(', '), (bytes: number) => Math.round(bytes / 2 ** 20)]
  if (o.archives.length === 0) {
    const next = 'Ask the administrator for a release with the decoys’ images.'
    return { ok: false, detail: `missing: ${missing}; none in ${o.folder} either`, next }
  }
  const loading = `${missing} will be loaded from ${o.folder} (${o.archives.join(', ')})`
  const sizes = `${mb(o.bytes)} MB, ${mb(o.free)} MB are free`
  if (o.free < o.bytes && o.some)
    return {
      ok: true,
      detail: `${loading}, if there is room: with those that are there they take ${sizes}`,
      next: 'Look again in ten minutes.',
    }
  if (o.free < o.bytes)
    return {
      ok: false,
      detail: `no room to load ${missing}: they take ${sizes}`,
      next: 'Use a larger card: write the image to it anew.',
    }
  return { ok: true, detail: loading }
}
