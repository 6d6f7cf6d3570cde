import { listsOf } from './ssh-client.ts'
import { message, Reader } from './ssh-wire.ts'

const name = Object.fromEntries(Object.entries(message).map(([key, number]) => [number, key]))

/** A message as a line: numbers and texts as they are, what is drawn anew for each connection or host by its size. */
export function shown(body: Buffer): string {
  const type = body[0] ?? 0
  const reader = new Reader(body.subarray(1))
  const text = () => JSON.stringify(reader.string().toString('latin1'))
  const fields = (): unknown[] => {
    switch (type) {
      case message.disconnect:
        return [reader.uint32(), text(), text()]
      case message.kexInit:
        return [JSON.stringify(listsOf(body))]
      case message.kexEcdhReply:
        return [`${reader.string().length} bytes`]
      case message.extInfo:
        return [reader.uint32(), ...texts(reader)]
      case message.authFailure:
        return [text(), reader.byte()]
      case message.globalRequest:
        return [text(), reader.byte(), ...keysOf(reader)]
      case message.requestSuccess:
        return [`${reader.rest().length} bytes`]
      case message.channelOpenConfirmation:
      case message.unimplemented:
      case message.windowAdjust:
      case message.channelSuccess:
      case message.channelFailure:
      case message.eof:
      case message.close:
        return numbers(reader)
      case message.channelOpenFailure:
        return [reader.uint32(), reader.uint32(), text(), text()]
      case message.data:
        return [reader.uint32(), JSON.stringify(withoutCookie(reader.string()).toString('latin1'))]
      case message.extendedData:
        return [reader.uint32(), reader.uint32(), text()]
      case message.channelRequest:
        return [reader.uint32(), text(), reader.byte(), reader.rest().toString('hex')]
      default:
        return [JSON.stringify(reader.rest().toString('latin1'))]
    }
  }
  return [name[type] ?? `message ${type}`, ...fields()].join(' ')
}

/** A server's greeting with its KEXINIT behind it, as it comes through a forwarded port, has drawn bytes in it. */
function withoutCookie(data: Buffer): Buffer {
  const end = data.indexOf(10) + 1
  const packet = data.subarray(end)
  if (!data.toString('latin1').startsWith('SSH-2.0-') || packet.length < 22 || packet[5] !== message.kexInit)
    return data
  const padding = packet.readUInt8(4)
  return Buffer.concat([data.subarray(0, end), packet.subarray(0, 6), packet.subarray(22, packet.length - padding)])
}

function numbers(reader: Reader): number[] {
  const rest = reader.rest()
  return Array.from({ length: rest.length / 4 }, (_, i) => rest.readUInt32BE(4 * i))
}

function texts(reader: Reader): string[] {
  const rest = new Reader(reader.rest())
  const found: string[] = []
  for (;;) {
    try {
      found.push(rest.string().toString('latin1'))
    } catch {
      return found
    }
  }
}

/** Host keys: their kinds and sizes. */
const keysOf = (reader: Reader): string[] =>
  texts(reader).map((key) => `${new Reader(Buffer.from(key, 'latin1')).string().toString('latin1')}:${key.length}`)

/**
 * What a real host leaves to its scheduler is put in one order: channels one after the other, output in one piece, and
 * at the end of a program the end of its output before its status.
 */
export function merged(lines: readonly string[]): string[] {
  const out: string[] = []
  for (const line of ordered(lines)) {
    const [, stream, text] = output.exec(line) ?? []
    const last = output.exec(out.at(-1) ?? '')
    if (last && last[1] === stream) out[out.length - 1] = `${stream} "${last[2]}${text}"`
    else out.push(line)
  }
  return out
}

const output = /^(data \d+|extendedData \d+ \d+) "(.*)"$/s
const ofChannel = /^(?:windowAdjust|channelSuccess|channelFailure|data|extendedData|eof|close|channelRequest) (\d+)/
const rankOf = (line: string): number => {
  if (line.startsWith('eof')) return 1
  if (line.includes('"exit-')) return 2
  if (line.includes('"eow@')) return 3
  return line.startsWith('close') ? 4 : 0
}

function ordered(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => ofChannel.test(line))
  const end = lines.findLastIndex((line) => ofChannel.test(line)) + 1
  if (first < 0) return [...lines]
  const channelOf = (line: string) => Number(ofChannel.exec(line)?.[1] ?? -1)
  const middle = lines.slice(first, end)
  if (middle.some((line) => channelOf(line) < 0)) return [...lines]
  middle.sort((a, b) => channelOf(a) - channelOf(b) || rankOf(a) - rankOf(b))
  return [...lines.slice(0, first), ...middle, ...lines.slice(end)]
}
