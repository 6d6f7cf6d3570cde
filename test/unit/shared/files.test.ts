import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeFolder, writeFileAtomic, writeFileOnce } from '../../../shared/files.ts'

t.test('what others are to read has its mode under the umask of a service, too', async (t) => {
  const before = process.umask(0o077)
  t.teardown(() => process.umask(before))
  const folder = t.testdir()
  const modeOf = (name: string) => statSync(join(folder, name)).mode & 0o777
  await writeFileAtomic(join(folder, 'told'), 'to others', 0o644)
  await writeFileOnce(join(folder, 'once'), 'to others', 0o644)
  await writeFileAtomic(join(folder, 'own'), 'a secret')
  await makeFolder(join(folder, 'new'), 0o755)
  t.same(['told', 'once', 'own', 'new'].map(modeOf), [0o644, 0o644, 0o600, 0o755])
  await writeFileAtomic(join(folder, 'below', 'own'), 'a secret')
  await makeFolder(join(folder, 'below'), 0o755)
  t.equal(modeOf('below'), 0o755, 'one that was there')
})
