import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { manifestFile, signatureFile } from '../../../shared/release.ts'
import {
  bundleBytes,
  bundleOf,
  findRelease,
  folderOf,
  listReleases,
  makeIncoming,
  type Release,
  readKeys,
  removeRelease,
  trustKey,
} from '../../updates/index.ts'
import { check, isDryRun } from '../body.ts'
import type { Routes } from '../port.ts'

const addBody = z.strictObject({
  manifest: z.string().max(65_536),
  signature: z.string().max(1024),
  /** Below the newest: only for going back. */
  older: z.boolean().default(false),
})
type Named = { Params: { version: string } }
type Coming = { Params: { id: string; file: string } }

const shown = ({ version, sequence, key, addedAt, manifest }: Release) => ({
  version,
  sequence,
  key,
  addedAt,
  createdAt: manifest.createdAt,
  notes: manifest.notes,
  parts: manifest.parts,
})

/** /v1/releases: what boxes can be brought to. A release comes as its manifest, then file by file, then as a whole. */
export const releaseRoutes: Routes = (app, deps) => {
  const { store, dataDir, clock } = deps
  const incoming = makeIncoming(deps)

  app.get('/v1/releases', async () => ({ items: (await listReleases(store)).map(shown) }))
  app.get<Named>('/v1/releases/:version', async ({ params }) => shown(await findRelease(store, params.version)))
  app.delete<Named>('/v1/releases/:version', async ({ params, query }) => {
    const release = await findRelease(store, params.version)
    if (!isDryRun(query)) await removeRelease(store, dataDir, release.version, isoNow(clock))
    return shown(release)
  })
  app.get<Named>('/v1/releases/:version/bundle', async ({ params }, reply) => {
    const { version, manifest, manifestText, signature } = await findRelease(store, params.version)
    const files = [
      { name: manifestFile, bytes: Buffer.byteLength(manifestText), content: () => Readable.from([manifestText]) },
      { name: signatureFile, bytes: Buffer.byteLength(signature), content: () => Readable.from([signature]) },
      ...manifest.parts.map(({ file, bytes }) => ({
        ...{ name: file, bytes },
        content: () => createReadStream(join(folderOf(dataDir, version), file)),
      })),
    ]
    const at = Date.parse(manifest.createdAt)
    return reply
      .type('application/x-tar')
      .header('content-length', bundleBytes(files))
      .send(Readable.from(bundleOf(files, at), { objectMode: false }))
  })

  app.post('/v1/releases/incoming', async ({ body, query }) => {
    const given = check(addBody, body)
    if (isDryRun(query)) return incoming.check(given)
    return incoming.begin(given)
  })
  app.post<Coming>('/v1/releases/incoming/:id/finish', async ({ params }) => incoming.finish(params.id))
  app.delete<Coming>('/v1/releases/incoming/:id', async ({ params }) => {
    await incoming.drop(params.id)
    return {}
  })
  // Files of gigabytes: passed on as they come, never held.
  void app.register(async (files) => {
    files.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))
    files.put<Coming>('/v1/releases/incoming/:id/:file', { bodyLimit: 9_000_000_000 }, async ({ params, body }) => {
      await incoming.put(params.id, params.file, body as Readable)
      return { file: params.file }
    })
  })

  app.get('/v1/release-keys', async () => ({ items: (await readKeys(dataDir)).map(({ id }) => ({ id })) }))
  app.post('/v1/release-keys', async ({ body, query }) => {
    const { text } = check(z.strictObject({ text: z.string().max(4096) }), body)
    const { id } = await trustKey(dataDir, text, { dryRun: isDryRun(query) })
    return { id }
  })
}
