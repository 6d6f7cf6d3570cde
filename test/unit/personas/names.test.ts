import t from 'tap'
import { learnNames, nextName } from '../../../controller/personas/index.ts'
import { seededRandom } from '../../../shared/random.ts'

const next = (names: string[], seed = 'names', taken: string[] = []) =>
  nextName(learnNames(names), new Set(taken), seededRandom(seed), ['debian']).name

t.test('a series of numbered names goes on in its width', async (t) => {
  for (let i = 0; i < 50; i++) t.match(next(['web01', 'web02', 'web03'], `s${i}`), /^web0[4-9]$|^web1\d$/)
  t.match(next(['SRV-009', 'SRV-010']), /^SRV-0\d\d$/)
})

t.test('web9 and web10 are one series', async (t) => {
  t.match(next(['web9', 'web10'], 'x'), /^web1\d$/)
})

t.test('a name in use is never chosen, whatever its case', async (t) => {
  const taken = new Set<string>()
  const patterns = learnNames(['db1', 'db2'])
  for (let i = 0; i < 40; i++) {
    const { name } = nextName(patterns, taken, seededRandom(`t${i}`), ['debian'])
    t.notOk(taken.has(name.toLowerCase()))
    taken.add(name.toLowerCase())
  }
})

t.test('names without numbers get another role, with the prefix they share', async (t) => {
  t.match(next(['srv-mail', 'srv-web', 'srv-crm']), /^srv-[a-z]+$/)
})

t.test('the domain that most hosts are in is learned', async (t) => {
  t.equal(learnNames(['a1.corp.example', 'a2.corp.example', 'x.other.example']).domain, 'corp.example')
})

t.test('container ids, addresses and what is no label are passed over', async (t) => {
  const patterns = learnNames([
    '0a1b2c3d4e5f',
    '198.18.1.4',
    'ip-10-0-0-1',
    '<script>1',
    'a b1',
    '-x1',
    `${'y'.repeat(80)}1`,
  ])
  t.same(patterns, { numbered: [], plain: [] })
})

t.test('without any pattern it is the usual name of such a system', async (t) => {
  t.equal(next([]), 'debian')
  t.equal(next([], 'x', ['debian']), 'debian2')
})
