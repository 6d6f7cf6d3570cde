import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { isatty, WriteStream } from 'node:tty'

export type Size = { columns: number; rows: number }
/** A text console as it is where nobody says more. */
const usual: Size = { columns: 80, rows: 25 }
/** console_codes(4): no cursor, no blanking, to the upper left corner. Each line, and the end, clears what was there. */
const [begin, clearLine, clearRest, showCursor] = [
  '\u001b[?25l\u001b[9;0]\u001b[H',
  '\u001b[K',
  '\u001b[J',
  '\u001b[?25h',
]

/** A screen of text, drawn anew only when something on it changed. */
export function makeScreen(path: string) {
  let fd: number | undefined
  let terminal: WriteStream | undefined
  let drawn = ''
  const put = (text: string): void => {
    if (terminal) terminal.write(text)
    else if (fd !== undefined) writeSync(fd, text)
  }

  return {
    start(): void {
      // A service that got a terminal of its own this way would be ended by Ctrl-C at its keyboard.
      fd = openSync(path, constants.O_WRONLY | constants.O_NOCTTY)
      if (!isatty(fd)) return
      terminal = new WriteStream(fd)
      // A screen that is pulled out is no reason to end.
      terminal.on('error', () => undefined)
    },
    show(lines: (size: Size) => readonly string[]): void {
      if (fd === undefined) return
      const size = terminal && terminal.columns > 0 ? { columns: terminal.columns, rows: terminal.rows } : usual
      const shown = lines(size).map((line) => `${line}${clearLine}`)
      const text = `${begin}${shown.join('\r\n')}\r\n${clearRest}`
      if (text === drawn) return
      put(text)
      drawn = text
    },
    stop(): void {
      if (fd === undefined) return
      put(showCursor)
      if (terminal) terminal.destroy()
      else closeSync(fd)
      fd = undefined
      terminal = undefined
    },
  }
}
