import t from 'tap'
import { inconsistencies } from '../../../controller/personas/index.ts'
import { filesMutations } from './mutations/files.ts'
import { lifeMutations } from './mutations/life.ts'
import { servicesMutations } from './mutations/services.ts'
import { cache, catalogue, database, debian, now, ouis, printer, web, windows } from './mutations/subjects.ts'
import { systemMutations } from './mutations/system.ts'

const mutations = [...servicesMutations, ...systemMutations, ...filesMutations, ...lifeMutations]

t.test('each rule bites: one fact changed, and it is named', async (t) => {
  for (const one of [debian, web, database, cache, windows, printer])
    t.same(inconsistencies(one, catalogue, ouis, now), [], `${one.family} is whole before`)
  for (const [what, mutant, words] of mutations) {
    const found = inconsistencies(mutant, catalogue, ouis, now)
    t.ok(
      found.some((one) => words.test(one)),
      `${what}: ${JSON.stringify(found.slice(0, 3))}`,
    )
  }
})

t.test('packages of a day to come are named', async (t) => {
  const before = Date.parse('2025-09-01T00:00:00Z')
  t.ok(inconsistencies(debian, catalogue, ouis, before).some((one) => /its packages are of/.test(one)))
})
