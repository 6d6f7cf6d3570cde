import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

export type TarFile = { name: string; text: string }

const block = 512

/**
 * A tar archive (POSIX.1-1988, ustar) of small text files, compressed. Names are ours: shorter than 100 bytes, ASCII.
 * `at`: their time, seconds since 1970.
 */
export async function tarOf(files: readonly TarFile[], at: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (const { name, text } of files) {
    const body = Buffer.from(text)
    pieces.push(headOf(name, body.length, at), body, Buffer.alloc((block - (body.length % block)) % block))
  }
  // Two blocks of zeros end it.
  pieces.push(Buffer.alloc(2 * block))
  return promisify(gzip)(Buffer.concat(pieces))
}

function headOf(name: string, size: number, at: number): Buffer {
  if (!/^[\x21-\x7e]{1,99}$/.test(name)) throw new Error(`no name for a file of an archive: ${name}`)
  const head = Buffer.alloc(block)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  head.write(name, 0)
  head.write(octal(0o600, 7), 100)
  head.write(octal(0, 7), 108)
  head.write(octal(0, 7), 116)
  head.write(octal(size, 11), 124)
  head.write(octal(Math.max(0, Math.floor(at)), 11), 136)
  head.write('0', 156)
  head.write('ustar\x0000', 257)
  // The sum is taken with its own field as blanks.
  head.write(' '.repeat(8), 148)
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return head
}
