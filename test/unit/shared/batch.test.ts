import t from 'tap'
import { decodeBatch, encodeBatch } from '../../../shared/batch.ts'
import { newId } from '../../../shared/ids.ts'

const head = { v: 1 as const, epoch: newId(), first: 7, count: 2, losses: [] }

t.test('a batch comes through with its records as they were written', async (t) => {
  const lines = ['{"a":"ü"}', '{"b":2}']
  t.same(decodeBatch(encodeBatch(head, lines)), { ...head, lines })
  const onlyLosses = { ...head, count: 0, losses: [{ from: 3, to: 6, reason: 'limit' as const }] }
  t.same(decodeBatch(encodeBatch(onlyLosses, [])), { ...onlyLosses, lines: [] })
})

t.test('a batch that does not hold what its head tells is refused', async (t) => {
  t.throws(() => decodeBatch(encodeBatch(head, ['{}'])), /tells 2 records, 1 came/)
  t.throws(() => decodeBatch(Buffer.from('not a head')))
  t.throws(() => decodeBatch(Buffer.from('')))
})
