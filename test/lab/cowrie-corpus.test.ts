import t from 'tap'
import { worst } from '../fidelity/agreement.ts'
import { sampled } from '../fidelity/corpus.ts'
import { measureCorpus } from '../fidelity/measure.ts'

const target = 90
/** Of all lines, which the benchmark types: a test must not take minutes. */
const share = 0.5

t.setTimeout(300_000)

t.test('command lines of real sessions are answered as a real host answers them', async (t) => {
  const told = (what: string) => t.comment(what)
  const { ours, oursPercent } = await measureCorpus(
    t,
    'db-srv-07',
    told,
    async () => undefined,
    (all) => sampled(all, share, 'corpus'),
  )
  t.comment(`${oursPercent.toFixed(1)} % of ${ours.length} lines agree`)
  for (const { command, wrong, of, example } of worst(ours).slice(0, 15)) {
    t.comment(`${command}: ${wrong} of ${of} differ, as in: ${example}`)
  }
  t.ok(oursPercent >= target, `${oursPercent.toFixed(1)} % agree, at least ${target} %`)
})
