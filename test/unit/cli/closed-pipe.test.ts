import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'

/** Runs a command whose reader goes away before the first byte, as `| head` may. */
async function withoutReader(...argv: string[]): Promise<{ code: unknown; stderr: string }> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, stderr }
}

t.test('a reader that goes away ends a command quietly', async (t) => {
  t.same(await withoutReader('controller/cli.ts', 'completion', 'bash'), { code: 0, stderr: '' })
  t.same(await withoutReader('agent/main.ts', '--help'), { code: 0, stderr: '' })
})
