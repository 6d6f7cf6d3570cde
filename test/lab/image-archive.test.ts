import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { saveDecoyImages } from '../../provisioning/build/archive.ts'
import { tagFor, tagOf } from '../../provisioning/build/catalogue.ts'
import { contentLabel } from '../../provisioning/build/content.ts'
import { loadRoot } from '../../provisioning/build/rootfs.ts'

const run = promisify(execFile)

t.test('images for another machine leave this engine as ones of it, under the names that decoys ask for', async (t) => {
  const name = `archive-test-${process.pid}`
  const tag = tagOf(name, tagFor('arm64', 'amd64'))
  t.teardown(() => run('docker', ['image', 'rm', '-f', tag, tagOf(name)]))
  const folder = t.testdir({ layer: { file: 'x' }, out: {} })
  await run('tar', ['-C', join(folder, 'layer'), '-cf', join(folder, 'layer.tar'), 'file'])
  await loadRoot(folder, { tag, hash: 'of-a-test', architecture: 'arm64' })
  const inspect = async (image: string, format: string) =>
    (await run('docker', ['image', 'inspect', '-f', format, image])).stdout.trim()
  t.equal(await inspect(tag, `{{.Architecture}} {{index .Config.Labels "${contentLabel}"}}`), 'arm64 of-a-test')

  const out = join(folder, 'out')
  const id = await inspect(tag, '{{.Id}}')
  await saveDecoyImages([{ name, tag }], out)
  t.equal(await readFile(join(out, 'decoys.list'), 'utf8'), `${tagOf(name)} ${id}\n`)
  const manifest = (await run('tar', ['-xOf', join(out, 'decoys.tar'), 'manifest.json'])).stdout
  t.match(JSON.parse(manifest), [{ RepoTags: [tagOf(name)] }])
  await run('docker', ['image', 'rm', tag])
  await run('docker', ['load', '--quiet', '-i', join(out, 'decoys.tar')])
  t.equal(await inspect(tagOf(name), '{{.Id}}'), id, 'an engine takes it, and it is the same image')
  await t.rejects(inspect(tag, '{{.Id}}'), 'the other name did not come along')
})
