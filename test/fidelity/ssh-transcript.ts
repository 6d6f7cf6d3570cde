import { setTimeout as delay } from 'node:timers/promises'
import { listsOf, SshClient } from './ssh-client.ts'
import type { Probe, Step } from './ssh-probes.ts'
import { message, payload, Reader } from './ssh-wire.ts'

export type Target = { host: string; port: number; user: string; password: string }

/** A message that no server knows: the answer to it tells that all before it has been answered. */
const fence = 210 - 20
/** Before there are packets, only time tells that a server waits. */
const quietMs = 400
const name = Object.fromEntries(Object.entries(message).map(([key, number]) => [number, key]))

/** What a server answered, line by line, without what differs from one connection to the next. */
export async function transcriptOf(probe: Probe, target: Target): Promise<string[]> {
  const client = await SshClient.connect(target.host, target.port)
  try {
    return await (probe.stage === 'greeted' ? greeted(client, probe) : packets(client, probe, target))
  } finally {
    client.close()
  }
}

async function greeted(client: SshClient, probe: Probe): Promise<string[]> {
  const banner = await client.line()
  for (const step of probe.steps) await take(client, step)
  const { bytes, end } = await client.rest(quietMs)
  // Behind a good identification comes the KEXINIT, which another probe reads.
  const kexInit = bytes.length > 5 && bytes[0] === 0 && bytes[5] === message.kexInit
  return [banner, kexInit ? 'kexInit' : JSON.stringify(bytes.toString('latin1')), end]
}

async function packets(client: SshClient, probe: Probe, target: Target): Promise<string[]> {
  if (probe.stage === 'identified') {
    await client.line()
    client.raw(`${client.version}\r\n`)
  } else {
    await client.keys(probe.kex)
    if (probe.stage === 'service') await client.service()
    if (probe.stage === 'session') await client.logIn(target.user, target.password)
  }
  // In one segment, so that a server finds them together whatever else the machine does.
  let together = Buffer.alloc(0)
  for (const step of probe.steps) {
    if ('packet' in step) together = Buffer.concat([together, client.packet(step.packet)])
    else if ('bytes' in step) together = Buffer.concat([together, step.bytes])
    else if ('broken' in step) together = Buffer.concat([together, spoiled(client.packet(step.broken))])
    else await take(client, step)
  }
  const mark = client.sequence
  client.raw(Buffer.concat([together, client.packet(payload(fence))]))
  const lines = client.aside.map(shown)
  const awaited = [...(probe.until ?? [])]
  for (let passed = false; !passed || awaited.length > 0; ) {
    const body = await client.next(probe.stage === 'identified' ? quietMs : 30_000)
    // Bytes of ours that came too late to be read make a reset of the same end.
    if (typeof body === 'string') return [...merged(lines), body === 'reset' ? 'closed' : body]
    if (body[0] === message.unimplemented && body.readUInt32BE(1) === mark) {
      passed = true
      continue
    }
    lines.push(shown(body))
    const at = awaited.indexOf(body[0] ?? 0)
    if (at >= 0) awaited.splice(at, 1)
  }
  return merged(lines)
}

function spoiled(sealed: Buffer): Buffer {
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1
  return sealed
}

async function take(client: SshClient, step: Step): Promise<void> {
  if ('bytes' in step) client.raw(step.bytes)
  else if ('rekey' in step) await client.keys([], false)
  else if ('shut' in step) client.socket.end()
  else if ('slowly' in step) {
    for (const byte of step.slowly) {
      client.raw(Buffer.from([byte]))
      await delay(step.everyMs)
    }
  }
}

/** A message as a line: numbers and texts as they are, what is drawn anew for each connection or host by its size. */
function shown(body: Buffer): string {
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
        return [reader.uint32(), text()]
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
function merged(lines: readonly string[]): string[] {
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
