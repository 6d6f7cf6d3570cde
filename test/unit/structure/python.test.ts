import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PositionEncoding, Workspace } from '@astral-sh/ruff-wasm-nodejs'
import t from 'tap'

const root = join(import.meta.dirname, '../../..')

/** Errors, likely faults, names that nothing uses, the order of imports; not taste. */
const rules = {
  'target-version': 'py311',
  'line-length': 140,
  lint: {
    select: ['E9', 'F', 'B', 'I', 'PLE', 'UP'],
    // Equal length is known where things are paired; names of types and of the zone may be the older ones.
    ignore: ['B905', 'UP007', 'UP017', 'UP041'],
  },
}

// On a machine that others load it takes longer than tap waits by itself.
t.setTimeout(180_000)

t.test('Python is free of what a linter finds', async (t) => {
  const ruff = new Workspace(rules, PositionEncoding.Utf16)
  const files = globSync('{images,test,provisioning}/**/*.py', { cwd: root })
  t.ok(files.length > 300, `${files.length} files`)
  const found = files.flatMap((file) =>
    (
      ruff.check(readFileSync(join(root, file), 'utf8')) as {
        code: string
        message: string
        start_location: { row: number }
      }[]
    ).map(({ code, message, start_location: { row } }) => `${file}:${row} ${code} ${message}`),
  )
  t.same(found, [])
})

t.test('what a module takes from another is there', async (t) => {
  const folders = globSync('images/*/', { cwd: root }).map((folder) => join(root, folder))
  const told = execFileSync('python3', [join(import.meta.dirname, 'python_names.py'), ...folders], { encoding: 'utf8' })
  t.match(told, /^checked \d{4}\n$/)
})
