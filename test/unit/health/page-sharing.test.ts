import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makePageSharingProbe, pageSharingIsOurs, putPageSharingBack } from '../../../agent/health/index.ts'

async function places(t: Test, found: Record<string, string>) {
  const root = t.testdir({})
  const [kernel, stateDir, bootFile] = ['ksm', 'state', 'boot_id'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  await mkdir(kernel)
  await mkdir(stateDir)
  await writeFile(bootFile, 'first\n')
  for (const [name, value] of Object.entries({ pages_sharing: '512', ...found }))
    await writeFile(join(kernel, name), `${value}\n`)
  const setting = async (name: string) => (await readFile(join(kernel, name), 'utf8')).trim()
  return {
    places: { kernel, stateDir, bootFile },
    standing: async () => [await setting('run'), await setting('pages_to_scan'), await setting('sleep_millisecs')],
  }
}
const off = { run: '0', pages_to_scan: '100', sleep_millisecs: '20' }

t.test('sharing that the agent set going is put back as it was', async (t) => {
  const { places: at, standing } = await places(t, off)
  t.strictSame(await makePageSharingProbe(at).measure(), { ok: true, detail: '2 MB saved' })
  t.strictSame(await standing(), ['1', '1000', '50'])
  t.ok(await pageSharingIsOurs(at))
  await putPageSharingBack(at)
  t.strictSame(await standing(), ['0', '100', '20'])
  t.notOk(await pageSharingIsOurs(at))
})

t.test('newer kernels look at every page in every round, while the agent has them share', async (t) => {
  const { places: at } = await places(t, { ...off, smart_scan: '1' })
  const smart = async () => (await readFile(join(at.kernel, 'smart_scan'), 'utf8')).trim()
  await makePageSharingProbe(at).measure()
  t.equal(await smart(), '0')
  await putPageSharingBack(at)
  t.equal(await smart(), '1')
})

t.test('a second setting going keeps what stood there first', async (t) => {
  const { places: at, standing } = await places(t, off)
  const probe = makePageSharingProbe(at)
  await probe.measure()
  await writeFile(join(at.kernel, 'run'), '0\n')
  await probe.measure()
  await putPageSharingBack(at)
  t.strictSame(await standing(), ['0', '100', '20'])
})

t.test('what others set going, or a later start of the kernel brought, is left alone', async (t) => {
  const others = await places(t, { ...off, run: '1' })
  await makePageSharingProbe(others.places).measure()
  t.notOk(await pageSharingIsOurs(others.places))
  await putPageSharingBack(others.places)
  t.strictSame(await others.standing(), ['1', '100', '20'])
})

t.test('after a later start of the kernel nothing is put back', async (t) => {
  const { places: at, standing } = await places(t, off)
  await makePageSharingProbe(at).measure()
  await writeFile(at.bootFile, 'second\n')
  await putPageSharingBack(at)
  t.strictSame(await standing(), ['1', '1000', '50'])
})

t.test('without a state folder it is only looked at', async (t) => {
  const { places: at, standing } = await places(t, off)
  const { ok } = await makePageSharingProbe({ kernel: at.kernel }).measure()
  t.ok(ok)
  t.strictSame(await standing(), ['0', '100', '20'])
  t.strictSame(await readdir(at.stateDir), [])
})
