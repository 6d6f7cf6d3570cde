import t from 'tap'
import { pythonTests } from '../python-tests.ts'

t.test('the pure parts of the decoy’s SSH hold their Python tests', async (t) => {
  pythonTests(t, import.meta.dirname)
})
