import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { newId } from '../../../shared/ids.ts'
import type { Persona, PersonaService, ServiceKind } from '../../../shared/schemas/persona.ts'
import { serviceRegistry } from '../../../shared/services.ts'
import { personaOf } from '../decoys/desired.ts'

/** The package and what it has in common with others, as in the image. */
export const packages = ['services', 'common']
  .map((name) => join(import.meta.dirname, '../../../images', name))
  .join(delimiter)
export const decoy = newId()

export type Wanted = Partial<PersonaService> & { kind: ServiceKind }

export const personaWith = (services: PersonaService[], version = 1): Persona => ({ ...personaOf(version), services })

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** The program of images/services as a process of its own on loopback, with folders as in a decoy. */
export async function run(
  t: Test,
  wanted: readonly Wanted[],
  environment: Record<string, string> = {},
  complaints = /^$/,
  more: Partial<Persona> = {},
) {
  const root = await mkdtemp(join(tmpdir(), 'services-'))
  await mkdir(join(root, 'control'))
  const services: PersonaService[] = []
  for (const { kind, ...more } of wanted)
    services.push({ kind, port: await freePort(), product: '', version: '', settings: {}, ...more })
  async function play(persona: Persona, revision: number): Promise<void> {
    for (const [name, value] of [['persona.json', persona] as const, ['context.json', { decoy, revision }] as const]) {
      const path = join(root, 'control', name)
      await writeFile(`${path}.new`, JSON.stringify(value))
      await rename(`${path}.new`, path)
    }
  }
  await play({ ...personaWith(services), ...more }, 1)
  const child: ChildProcess = spawn('python3', ['-BP', '-m', 'marshlight_services'], {
    cwd: root,
    env: {
      ...process.env,
      ...environment,
      PYTHONPATH: packages,
      MARSHLIGHT_ROOT: root,
      MARSHLIGHT_ADDRESS: '127.0.0.1',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    said += piece
  })
  t.teardown(async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    await rm(root, { recursive: true, force: true })
    if (!complaints.test(said)) throw new Error(`it complained: ${said}`)
  })
  async function status(revision: number, field = 'revision'): Promise<Record<string, unknown>> {
    for (;;) {
      const text = await readFile(join(root, 'out/status.json'), 'utf8').catch(() => '{}')
      const told = JSON.parse(text) as Record<string, unknown>
      if (told.revision === revision && field in told) return told
      if (child.exitCode !== null) throw new Error(`it ended: ${said}`)
      await delay(10)
    }
  }
  await status(1)
  const portOf = (kind: ServiceKind) => services.find((one) => one.kind === kind)?.port ?? 0
  return {
    out: join(root, 'out'),
    services,
    portOf,
    play,
    status,
    talk: (kind: ServiceKind) => talkTo(portOf(kind)),
    /** The first answer to any of them. */
    ask: (kind: ServiceKind, ...datagrams: Buffer[]) => ask(portOf(kind), datagrams),
    async events(): Promise<Record<string, unknown>[]> {
      const text = await readFile(join(root, 'out/events/events-1.jsonl'), 'utf8')
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    },
  }
}

export type Running = Awaited<ReturnType<typeof run>>

/** A connection on which one side speaks after the other. */
export async function talkTo(port: number) {
  const socket: Socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let heard = Buffer.alloc(0)
  let wake = () => {}
  let ended = false
  socket.on('data', (piece: Buffer) => {
    heard = Buffer.concat([heard, piece])
    wake()
  })
  const over = () => {
    ended = true
    wake()
  }
  socket.on('close', over).on('error', over)
  return {
    socket,
    send: (data: string | Buffer) => void socket.write(data),
    /** What came until it fits, or until the other side hung up. */
    async until(fits: (heard: Buffer) => boolean): Promise<Buffer> {
      while (!fits(heard) && !ended)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      const found = heard
      heard = Buffer.alloc(0)
      return found
    },
    bytes(count: number): Promise<Buffer> {
      return this.until(({ length }) => length >= count)
    },
    async text(ends: string): Promise<string> {
      return (await this.until((data) => data.includes(ends))).toString('latin1')
    },
    /** Everything up to the end of the connection. */
    rest(): Promise<Buffer> {
      return this.until(() => false)
    },
  }
}

async function ask(port: number, datagrams: readonly Buffer[]): Promise<Buffer> {
  const socket = createSocket('udp4')
  for (const datagram of datagrams) socket.send(datagram, port, '127.0.0.1')
  const [answer] = (await once(socket, 'message')) as [Buffer]
  socket.close()
  return answer
}

/** All kinds, with a product for each that its words depend on. */
export const everything = (Object.keys(serviceRegistry) as ServiceKind[]).map((kind): Wanted => ({ kind }))
