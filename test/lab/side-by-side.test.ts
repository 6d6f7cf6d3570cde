import t from 'tap'
import { hostedFamilies } from '../fidelity/hosted-families.ts'
import { differencesInWords, percentEqual } from '../fidelity/scan-agreement.ts'
import { scanSideBySide } from '../fidelity/scan-side-by-side.ts'
import { makeSegment } from './decoys-segment.ts'

t.setTimeout(180_000)

t.test('a decoy built of what a scan says of a host looks like it to the next scan', async (t) => {
  const families = hostedFamilies.filter(({ name }) => /nginx|MariaDB/.test(name))
  const sides = await scanSideBySide(t, makeSegment(t), families)
  t.same(
    sides.map(({ persona }) => persona.family),
    ['web-server-debian-12', 'database-server-debian-12'],
    'the controller knows what they are',
  )
  for (const { family, compared } of sides) {
    const lines = compared.filter(({ at }) => at !== 'system')
    t.same(differencesInWords(lines), [], family.name)
    t.ok(percentEqual(compared) >= 80, `${family.name}: with the guesses of the system ${percentEqual(compared)} %`)
    t.match(
      compared.find(({ at, what }) => at === 'system' && what === 'class'),
      { host: /Linux/, decoy: /Linux/ },
    )
  }
})
