import { forTerminal } from '../../shared/terminal.ts'

/** SGR parameters that cannot hide text: no conceal (8), no black (30), no background, no blinking. */
const harmlessSgr = new Set([
  '',
  '0',
  '1',
  '4',
  '22',
  '24',
  '31',
  '32',
  '33',
  '34',
  '35',
  '36',
  '37',
  '39',
  '91',
  '92',
  '93',
  '94',
  '95',
  '96',
  '97',
])
const longestSequence = 64

/**
 * Makes what an attacker's session wrote fit for an administrator's terminal, piece by piece: newlines, tabs and a few
 * colours pass; a lone carriage return becomes a newline, so that nothing can be overwritten; mode switches (as Cowrie
 * writes around all output) are dropped; every other control sequence is shown as an escape. A sequence may be split
 * between pieces. Call with `undefined` at the end for what is left.
 *
 *   text --ESC--> escape --[--> csi --final byte--> judged --> text
 *                        \--] P X ^ _--> string --BEL, ST or too long--> dropped --> text
 */
export function makeTerminalFilter(): (piece: Uint8Array | undefined) => string {
  const decoder = new TextDecoder()
  let held = ''

  return (piece) => {
    const text = held + (piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true }))
    held = ''
    let out = ''
    let plain = 0
    let at = 0
    const flush = (until: number) => {
      if (until > plain) out += forTerminal(text.slice(plain, until), Number.POSITIVE_INFINITY)
    }
    while (at < text.length) {
      const character = text[at]
      if (character === '\n' || character === '\t') {
        flush(at)
        out += character
        at += 1
      } else if (character === '\r' && (at + 1 < text.length || piece === undefined)) {
        flush(at)
        // What follows a run of carriage returns decides: with a newline they are its ordinary company.
        while (text[at] === '\r') at += 1
        if (text[at] !== '\n') out += '\n'
      } else if (character === '\u001b' || character === '\r') {
        flush(at)
        const sequence = character === '\r' ? undefined : sequenceAt(text, at)
        if (sequence === undefined && piece !== undefined && text.length - at < longestSequence) {
          held = text.slice(at)
          return out
        }
        const length = sequence?.length ?? 1
        out += sequence?.shown ?? forTerminal(text.slice(at, at + length))
        at += length
      } else {
        at += 1
        continue
      }
      plain = at
    }
    flush(at)
    return out
  }
}

/** The control sequence that starts at `at` with ESC, or undefined when its end has not come. */
function sequenceAt(text: string, at: number): { length: number; shown: string } | undefined {
  const kind = text[at + 1]
  if (kind === undefined) return undefined
  const window = text.slice(at, at + longestSequence)
  if (kind === '[') {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control sequences is the point
    const match = /^\u001b\[([0-?]*)([ -/]*)([@-~])/.exec(window)
    if (match) return { length: match[0].length, shown: judged(match[0], match[1] ?? '', `${match[2]}${match[3]}`) }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control sequences is the point
    return /^\u001b\[[0-?]*[ -/]*$/.test(window) && window.length < longestSequence
      ? undefined
      : { length: 1, shown: '\\x1b' }
  }
  if (']PX^_'.includes(kind)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control sequences is the point
    const end = /\u0007|\u001b\\|\u009c/.exec(window.slice(2))
    if (end) {
      const length = 2 + end.index + end[0].length
      return { length, shown: forTerminal(text.slice(at, at + length)) }
    }
    return window.length < longestSequence ? undefined : { length: 1, shown: '\\x1b' }
  }
  return { length: 1, shown: '\\x1b' }
}

function judged(sequence: string, parameters: string, final: string): string {
  if (final === 'm' && parameters.split(';').every((one) => harmlessSgr.has(one))) return sequence
  if (final === 'h' || final === 'l') return ''
  return forTerminal(sequence)
}
