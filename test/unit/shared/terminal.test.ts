import t from 'tap'
import { forTerminal, jsonForTerminal } from '../../../shared/terminal.ts'

t.test('no character that moves a cursor, hides or reorders text reaches a terminal', async (t) => {
  const harmful = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('')
  const shown = forTerminal(harmful, harmful.length)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for control characters is the point
  t.notMatch(shown, /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069]/)
  t.match(forTerminal('a\u001b[2Jb\r\n'), /^a\\x1b\[2Jb\\r\\n$/)
})

t.test('plain text stays as it is, and long text is cut', async (t) => {
  t.equal(forTerminal('größe 日本 ok'), 'größe 日本 ok')
  t.equal(forTerminal('x'.repeat(10), 4), 'xxxx…')
})

t.test('JSON for a terminal is as harmless, and reads back as it was', async (t) => {
  const harmful = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('')
  const text = jsonForTerminal({ [harmful]: harmful })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for control characters is the point
  t.notMatch(text, /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/)
  t.strictSame(JSON.parse(text), { [harmful]: harmful })
})
