import t from 'tap'
import { makeAdwin, makePageHinkley } from '../../../shared/statistics/index.ts'
import { cases, goldenErrors, type Numbers } from '../../drift/golden.ts'

t.test('statistics are those of scipy, to 1e-9', async (t) => {
  const errors = goldenErrors()
  for (const { what, ours, expected, error } of errors) t.ok(error <= 1e-9, `${what}: ${ours}, expected ${expected}`)
  t.ok(errors.length >= 60, `${errors.length} values`)
})

t.test('streams change where the reference says', async (t) => {
  const { stream, detections } = cases.find(({ kind }) => kind === 'page_hinkley_river_doc') as never as {
    stream: Numbers
    detections: Numbers
  }
  const test = makePageHinkley()
  t.strictSame(
    stream.flatMap((value, i) => (test.add(value) ? [i] : [])),
    detections,
  )
  const { delta, clock, first_detection } = cases.find(({ kind }) => kind === 'adwin_river_doc') as never as {
    delta: number
    clock: number
    first_detection: number
  }
  const adwin = makeAdwin({ delta, every: clock })
  t.equal(
    stream.findIndex((value) => adwin.add(value)),
    first_detection,
  )
})
