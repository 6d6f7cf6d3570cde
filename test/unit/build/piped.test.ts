import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { piped } from '../../../provisioning/build/command.ts'

/** Makes a file when its input has ended, as `docker import` makes an image. */
const importing = (file: string): [string, string, string] => [
  'sh',
  '-c',
  `cat > ${file}.part && mv ${file}.part ${file}`,
]

t.test('what comes out of a command is imported once the command has succeeded', async (t) => {
  const file = join(t.testdir(), 'image')
  await piped(['sh', '-c', 'head -c 300000 /dev/zero; exec >&-; true'], importing(file))
  t.equal(readFileSync(file).length, 300_000)
})

t.test(
  'half a root file system is no image: when the producer fails, the end of its output is never told',
  async (t) => {
    for (const producer of ['printf half; exit 3', 'printf half; exec >&-; echo broken >&2; exit 3', 'exit 3']) {
      const file = join(t.testdir(), 'image')
      await t.rejects(piped(['sh', '-c', producer], importing(file)), { message: /exit code 3/ })
      t.notOk(existsSync(file), producer)
    }
    const file = join(t.testdir(), 'image')
    await t.rejects(piped(['no-such-program'], importing(file)), { message: /ENOENT/ })
    t.notOk(existsSync(file))
  },
)

t.test('a consumer that gives up ends the producer, and its own words are told', async (t) => {
  await t.rejects(piped(['cat', '/dev/zero'], ['sh', '-c', 'echo no space left >&2; exit 4']), {
    message: /no space left/,
  })
})
