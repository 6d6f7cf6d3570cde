import t from 'tap'
import { worst } from '../fidelity/agreement.ts'
import { sampled } from '../fidelity/corpus.ts'
import { measureDevice } from '../fidelity/measure.ts'

const target = 90
/** Of all lines, which the benchmark types: a test must not take minutes. */
const share = 0.4

t.setTimeout(120_000)

t.test('a small device answers as the real BusyBox does, in its refusals too', async (t) => {
  const told = (what: string) => t.comment(what)
  const { ours, oursPercent } = await measureDevice(
    t,
    told,
    async () => undefined,
    (all) => sampled(all, share, 'busybox'),
  )
  t.comment(`${oursPercent.toFixed(1)} % of ${ours.length} lines agree`)
  for (const { command, wrong, of, example } of worst(ours).slice(0, 15)) {
    t.comment(`${command}: ${wrong} of ${of} differ, as in: ${example}`)
  }
  t.ok(oursPercent >= target, `${oursPercent.toFixed(1)} % agree, at least ${target} %`)
})
