import { setTimeout as delay } from 'node:timers/promises'
import { type End, SshClient } from './ssh-client.ts'
import { merged, shown } from './ssh-message-text.ts'
import type { Probe, Step } from './ssh-probe.ts'
import { message, payload } from './ssh-wire.ts'

export type Target = { host: string; port: number; user: string; password: string }

/** A message that no server knows: the answer to it tells that all before it has been answered. */
const fence = 190
/** Before there are packets, only time tells that a server waits. */
const quietMs = 1500
/** Longer than a wrong password takes. */
const patienceMs = 10_000

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
  return [banner.slice(0, 8), kexInit ? 'kexInit' : JSON.stringify(bytes.toString('latin1')), end]
}

async function packets(client: SshClient, probe: Probe, target: Target): Promise<string[]> {
  const before = await lead(client, probe, target)
  if (probe.steps.length === 0) return before
  // In one segment, so that a server finds them together whatever else the machine does.
  let together = Buffer.alloc(0)
  for (const step of probe.steps) {
    if ('packet' in step) together = Buffer.concat([together, client.packet(step.packet)])
    else if ('bytes' in step) together = Buffer.concat([together, step.bytes])
    else if ('broken' in step) together = Buffer.concat([together, spoiled(client.packet(step.broken))])
    else await take(client, step)
  }
  const { lines, end } = await answers(client, together, probe.until)
  return [...merged(lines), ...(end ? [end] : [])]
}

/** Up to where the probe begins, and what the server says there of its own accord. */
async function lead(client: SshClient, probe: Probe, target: Target): Promise<string[]> {
  if (probe.stage === 'identified') {
    await client.line()
    client.raw(`${client.version}\r\n`)
    const kexInit = await client.next()
    return [typeof kexInit === 'string' ? kexInit : shown(kexInit)]
  }
  await client.keys(probe.kex)
  if (probe.stage === 'service') await client.service()
  if (probe.stage === 'session') await client.logIn(target.user, target.password)
  const said = [...client.aside.splice(0).map(shown), ...(await answers(client)).lines]
  client.aside.length = 0
  return said
}

/** Sends, and reads until all of it has been answered, or the connection ends. */
async function answers(
  client: SshClient,
  bytes = Buffer.alloc(0),
  until: readonly number[] = [],
): Promise<{ lines: string[]; end?: End }> {
  const mark = client.sequence
  client.raw(Buffer.concat([bytes, client.packet(payload(fence))]))
  const lines = client.aside.splice(0).map(shown)
  const awaited = [...until]
  for (let passed = false; !passed || awaited.length > 0; ) {
    const body = await client.next(patienceMs)
    // Bytes of ours that came too late to be read make a reset of the same end.
    if (typeof body === 'string') return { lines, end: body === 'reset' ? 'closed' : body }
    if (body[0] === message.unimplemented && body.readUInt32BE(1) >= mark) {
      passed = true
      continue
    }
    lines.push(shown(body))
    const at = awaited.indexOf(body[0] ?? 0)
    if (at >= 0) awaited.splice(at, 1)
  }
  return { lines }
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
