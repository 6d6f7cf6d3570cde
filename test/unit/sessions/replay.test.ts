import t from 'tap'
import { asciicast, makeTerminalFilter, parseTtyLog } from '../../../controller/sessions/index.ts'
import { seededRandom } from '../../../shared/random.ts'

/** A frame as Cowrie's ttylog.py packs it: `<iLiiLL` and the data. */
function frame(op: number, direction: number, data: string | Buffer, seconds: number, micros = 0): Buffer {
  const body = Buffer.from(data)
  const head = Buffer.alloc(24)
  head.writeInt32LE(op, 0)
  head.writeInt32LE(body.length, 8)
  head.writeInt32LE(direction, 12)
  head.writeUInt32LE(seconds, 16)
  head.writeUInt32LE(micros, 20)
  return Buffer.concat([head, body])
}

const log = Buffer.concat([
  frame(1, 0, '', 1_700_000_000),
  frame(3, 2, '$ ', 1_700_000_000, 250_000),
  frame(3, 1, 'id\r', 1_700_000_001),
  frame(3, 2, 'uid=0\r\n', 1_700_000_001, 500_000),
  frame(2, 0, '', 1_700_000_002),
])
const shown = (pieces: (string | Buffer)[]) => {
  const filter = makeTerminalFilter()
  return pieces.map((piece) => filter(Buffer.from(piece))).join('') + filter(undefined)
}

t.test('a Cowrie tty log gives its frames with times from its start', async (t) => {
  const { frames, complete } = parseTtyLog(log)
  t.equal(complete, true)
  t.same(
    frames.map(({ atMs, direction, data }) => [Math.round(atMs), direction, data.toString()]),
    [
      [250, 'output', '$ '],
      [1000, 'input', 'id\r'],
      [1500, 'output', 'uid=0\r\n'],
    ],
  )
})

t.test('a log that was cut anywhere gives its whole frames and says that it is cut', async (t) => {
  for (let length = 0; length < log.length - 24; length++) {
    const { frames, complete } = parseTtyLog(log.subarray(0, length))
    t.ok(!complete && frames.length <= 3)
  }
  const lying = frame(3, 2, 'x', 1)
  lying.writeInt32LE(-1, 8)
  t.same(parseTtyLog(lying), { frames: [], complete: false })
})

t.test('asciicast holds the output with seconds, newlines as terminals need them', async (t) => {
  const lines = asciicast(parseTtyLog(log).frames, {
    width: 80,
    height: 24,
    startedAt: '2026-03-01T10:00:00Z',
    title: 'x',
  })
    .trim()
    .split('\n')
  t.match(JSON.parse(lines[0] ?? ''), { version: 2, width: 80, height: 24 })
  t.same(
    lines.slice(1).map((line) => JSON.parse(line)),
    [
      [0.25, 'o', '$ '],
      [1.5, 'o', 'uid=0\r\n'],
    ],
  )
})

t.test('newlines, tabs and plain colours pass; whatever can move, hide or command is shown as text', async (t) => {
  t.equal(shown(['a\r\nb\tc\n']), 'a\nb\tc\n')
  t.equal(shown(['\u001b[31mred\u001b[0m']), '\u001b[31mred\u001b[0m')
  t.equal(shown(['\u001b[4hmode\u001b[4l']), 'mode')
  t.equal(shown(['secret\rhidden']), 'secret\nhidden', 'nothing is overwritten')
  t.equal(shown(['\u001b[8mconceal']), '\\x1b[8mconceal')
  t.equal(shown(['\u001b[2J\u001b[1;1H']), '\\x1b[2J\\x1b[1;1H')
  t.equal(shown(['\u001b]0;title\u0007x']), '\\x1b]0;title\\x07x')
  t.equal(shown(['\u001b]52;c;ZXZpbA==\u001b\\x']), '\\x1b]52;c;ZXZpbA==\\x1b\\x')
  t.equal(shown(['\u001bc']), '\\x1bc')
  t.equal(shown(['\u009b31m \u202egnp']), '\\x9b31m \\u202egnp')
})

t.test('text split anywhere comes out the same as in one piece, within multi-byte letters too', async (t) => {
  const text = Buffer.from('a\u001b[31mrød\u001b[0m\r\n\u001b]0;t\u0007\u001b[2Jb\rc\u001b[4h€')
  const whole = shown([text])
  for (let at = 1; at < text.length; at++) t.equal(shown([text.subarray(0, at), text.subarray(at)]), whole)
})

t.test('no bytes whatever make it print a control character but newline, tab and harmless colours', async (t) => {
  const random = seededRandom('noise')
  const spice = ['\u001b[', '\u001b]', '\u001b', 'm', ';', '31', '\r', '\n', '\u0007', '\u009c', 'P', '8m', '2J']
  for (let round = 0; round < 2000; round++) {
    const pieces = Array.from({ length: 12 }, () =>
      random() < 0.7
        ? (spice[Math.floor(random() * spice.length)] as string)
        : Buffer.from([Math.floor(random() * 256)]),
    )
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the point
    const rest = shown(pieces).replace(/\u001b\[(?:(?:0|1|4|22|24|3[1-79]|9[1-7])?(?:;|(?=m)))*m/g, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the point
    if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(rest)) return t.fail(JSON.stringify([pieces, rest]))
  }
  t.pass('2,000 noisy logs')
})
