import type { Readable } from 'node:stream'

export type BundledFile = { name: string; bytes: number; content(): Readable }

const block = 512
/** Longest name that a header holds without another before it. */
export const mostName = 100
/** Largest size that eleven octal digits hold (POSIX.1-2017, pax, "ustar Interchange Format"). */
const mostOctal = 0o77777777777

const padded = (bytes: number): number => Math.ceil(bytes / block) * block
/** Of the whole archive: headers, contents, two empty blocks. */
export const bundleBytes = (files: readonly BundledFile[]): number =>
  files.reduce((sum, { bytes }) => sum + block + padded(bytes), 2 * block)

/**
 * The files as one tar archive, each by its plain name, all of root and of the time `at`, so that the same release makes the
 * same bytes. Throws where a file is not as long as it was said to be: what follows would be read at a wrong place.
 */
export async function* bundleOf(files: readonly BundledFile[], at: number): AsyncGenerator<Buffer> {
  for (const { name, bytes, content } of files) {
    if (name.length > mostName) throw new Error(`${name} is longer than ${mostName} characters`)
    yield header(name, bytes, Math.floor(at / 1000))
    let seen = 0
    for await (const chunk of content()) {
      const piece = Buffer.from(chunk as Uint8Array)
      seen += piece.length
      yield piece
    }
    if (seen !== bytes) throw new Error(`${name} has ${seen} bytes, not ${bytes}`)
    yield Buffer.alloc(padded(bytes) - bytes)
  }
  yield Buffer.alloc(2 * block)
}

function header(name: string, bytes: number, seconds: number): Buffer {
  const head = Buffer.alloc(block)
  const put = (text: string, from: number) => void head.write(text, from, 'latin1')
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
  put(name, 0)
  put(`${octal(0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100)
  if (bytes <= mostOctal) put(`${octal(bytes, 11)}\0`, 124)
  else {
    head.writeUInt8(0x80, 124)
    head.writeBigUInt64BE(BigInt(bytes), 128)
  }
  put(`${octal(seconds, 11)}\0`, 136)
  put('0', 156)
  put('ustar\0' + '00', 257)
  put('root', 265)
  put('root', 297)
  return summed(head)
}

/** The sum of the header's bytes, its own eight taken as blanks. */
function summed(head: Buffer): Buffer {
  head.write(' '.repeat(8), 148, 'latin1')
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return head
}
