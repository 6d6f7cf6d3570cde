import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeDockerEngine } from '../../agent/engine/index.ts'
import { loadImages } from '../../agent/updates/install-decoys.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { ReleasePart } from '../../shared/schemas/update.ts'
import { tempFolder } from '../unit/spool/records.ts'

const docker = (...args: string[]) =>
  execFileSync('docker', args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] }).trim()
const idOf = (tag: string) => docker('image', 'inspect', '-f', '{{.Id}}', tag)

/** Small images under names of this test's own, saved as a release has them: under the tags that are in use. */
async function archived(t: Parameters<typeof tempFolder>[0]) {
  const folder = await tempFolder(t)
  const own = `update-images-${newId().slice(-8)}`
  const tags = { pod: `${own}/pod:dev`, web: `${own}/web:dev` }
  const version = `9.0.0+${own}`
  t.teardown(async () => {
    const made = docker('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')
      .split('\n')
      .filter((tag) => tag.includes(own))
    if (made.length > 0) docker('image', 'rm', ...made)
  })
  const make = (text: string) => {
    for (const tag of Object.values(tags))
      execFileSync('docker', ['import', '-c', `LABEL of=${own}-${text}`, '-', tag], {
        input: Buffer.alloc(1024),
        stdio: ['pipe', 'ignore', 'pipe'],
      })
  }
  make('new')
  const file = join(folder, 'decoys.tar')
  docker('image', 'save', '-o', file, ...Object.values(tags))
  const next = idOf(tags.pod)
  make('old')
  const part: ReleasePart = {
    ...{ component: 'decoys', arch: 'amd64', version, file: 'decoys.tar', bytes: 1 },
    sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
  }
  return { own, tags, version, file, part, next, before: idOf(tags.pod) }
}

const engine = makeDockerEngine({
  ...{ socket: '/var/run/docker.sock', log: silentLog, clock: systemClock, random: systemRandom, agentLabel: newId() },
})

t.test('images of a release get tags of its version; those in use mean what they meant', async (t) => {
  const { own, tags, file, part, next, before } = await archived(t)
  t.not(next, before)
  let kept: Readonly<Record<string, string>> = {}
  const keep = async (ids: typeof kept) => {
    kept = ids
  }
  const load = () => loadImages({ engine, part, file, inUse: tags, keep, kept })
  const images = await load()
  const tag = (role: string) => `marshlight/${role}:9.0.0_${own}`
  t.strictSame(images, { pod: tag('pod'), web: tag('web') })
  t.equal(idOf(tag('pod')), next)
  t.equal(idOf(tags.pod), before)
  t.equal(kept[tags.pod], before)

  docker('tag', next, tags.pod)
  await load()
  t.equal(idOf(tags.pod), before, 'power went after the archive was loaded: the next attempt puts it back')
  await engine.untagImage(tag('pod'))
  t.equal(await engine.imageId(tag('pod')), undefined)
})

t.test('what is no archive of decoys is told', async (t) => {
  const { own, file, part, tags } = await archived(t)
  const o = { engine, part, inUse: {}, keep: async () => undefined, kept: {} }
  await t.rejects(loadImages({ ...o, file: import.meta.filename }), { code: 'UPDATE_UNUSABLE', message: /no archive/ })
  docker('tag', tags.pod, `${own}/other:dev`)
  docker('image', 'save', '-o', file, `${own}/other:dev`)
  await t.rejects(loadImages({ ...o, file }), {
    code: 'UPDATE_UNUSABLE',
    message: /none of pod, cowrie, services, web/,
  })
})
