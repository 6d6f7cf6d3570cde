import t from 'tap'
import { eventFiles, placeToRead, wholeLines } from '../../../agent/sessions/lines.ts'
import { seededRandom } from '../../../shared/random.ts'

t.test('however a file is cut into pieces, its lines come out whole and once', async (t) => {
  for (let seed = 0; seed < 200; seed++) {
    const random = seededRandom(`lines ${seed}`)
    const limit = 16
    const lines = Array.from({ length: 30 }, (_, n) => `${n}:${'é'.repeat(Math.floor(random() * 5))}`)
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    const found: string[] = []
    for (let at = 0, grown = 0; at < bytes.length; ) {
      grown = Math.min(bytes.length, grown + 1 + Math.floor(random() * 9))
      const piece = wholeLines(bytes.subarray(at, Math.min(grown, at + limit)), limit, false)
      found.push(...piece.lines)
      at += piece.consumed
    }
    if (JSON.stringify(found) !== JSON.stringify(lines)) return t.same(found, lines, `seed ${seed}`)
  }
  t.pass('200 ways')
})

t.test('a line over the bound is given up, and what follows it is read', async (t) => {
  const first = wholeLines(Buffer.from('x'.repeat(8)), 8, false)
  t.same(first, { lines: [], consumed: 8, overlong: true })
  t.same(wholeLines(Buffer.from('xxxxxxxx'), 8, true), { lines: [], consumed: 8, overlong: true })
  t.same(wholeLines(Buffer.from('xx\nok\nre'), 8, true), { lines: ['ok'], consumed: 6, overlong: false })
  t.same(wholeLines(Buffer.from('xxxxxx\nr'), 8, true), { lines: [], consumed: 7, overlong: false })
})

t.test('reading goes on in the file of the position, or in the next one', async (t) => {
  const files = eventFiles(['events-10.jsonl', 'events-9.jsonl', '.events-11.jsonl.7', 'notes', 'events-x.jsonl'])
  t.same(
    files.map(({ number }) => number),
    [9, 10],
  )
  t.equal(placeToRead([], undefined), undefined)
  t.match(placeToRead(files, undefined), { file: { number: 9 }, offset: 0 })
  t.match(placeToRead(files, { file: 'events-10.jsonl', offset: 5 }), { file: { number: 10 }, offset: 5 })
  t.match(
    placeToRead(files, { file: 'events-8.jsonl', offset: 5 }),
    { file: { number: 9 }, offset: 0 },
    'removed since',
  )
  t.match(placeToRead(files, { file: 'events-30.jsonl', offset: 5 }), { file: { number: 9 } }, 'of an earlier life')
})
