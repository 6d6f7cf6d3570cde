import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Persona } from '../../shared/schemas/persona.ts'

const serviceUser = 2600

export type Ran = { code: number | null; out: string; err: string }

export async function command(file: string, args: readonly string[], input = ''): Promise<Ran> {
  const child = spawn(file, args, { stdio: 'pipe' })
  const [out, err] = [gather(child.stdout), gather(child.stderr)]
  // Who ends without reading it has told all by its code.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out: out.text, err: err.text }
}

function gather(stream: NodeJS.ReadableStream): { text: string } {
  const gathered = { text: '' }
  stream.setEncoding('utf8').on('data', (piece: string) => {
    gathered.text += piece
  })
  return gathered
}

export async function docker(...args: string[]): Promise<string> {
  const done = await command('docker', args)
  if (done.code !== 0) throw new Error(`docker ${args.join(' ')}: ${done.err}`)
  return done.out.trim()
}

/** Waits for a state that something else brings about; the seconds only bound a failure, on a machine that has more to do. */
export async function eventually<T>(look: () => Promise<T | undefined>, what: string, seconds = 40): Promise<T> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`)
    await delay(20)
  }
}

export type Status = {
  personaVersion: number
  revision: number
  readyAt: string
  leftOut: string[]
  drift: string
  error?: string
  driftError?: string
}

/** A network without a way out, at one of the places for these that no other has, be it one that a killed test left. */
async function networkCalled(name: string): Promise<string> {
  const [first, places] = [200, 30]
  const begin = randomInt(places)
  for (let tries = 0; tries < places; tries++) {
    const subnet = `198.18.${first + ((begin + tries) % places)}`
    const made = await command('docker', ['network', 'create', '--internal', '--subnet', `${subnet}.0/24`, name])
    if (made.code === 0) return subnet
    if (!/overlap/i.test(made.err)) throw new Error(`docker network create: ${made.err}`)
  }
  throw new Error(`all of 198.18.${first}.0 to 198.18.${first + places - 1}.0 are taken: docker network ls`)
}

/** A decoy on a network of its own, with an attacker (.9, which serves payloads on port 80) and a second host (.10). */
export class Lab {
  readonly name = `cowrie-lab-${randomBytes(3).toString('hex')}`
  subnet = ''
  readonly attacker = `${this.name}-attacker`
  readonly pod = `${this.name}-pod`
  readonly service = `${this.name}-cowrie`
  folder = ''
  private readonly guests: (() => Promise<unknown>)[] = []

  get decoy(): string {
    return `${this.subnet}.20`
  }

  static async start(t: { teardown(work: () => unknown): unknown }, persona: Persona): Promise<Lab> {
    const lab = new Lab()
    t.teardown(() => lab.stop())
    try {
      await lab.prepare(persona)
      await lab.startDecoy(persona)
    } catch (error) {
      // A file that fails before its first test ends without its teardowns.
      await lab.stop()
      throw error
    }
    return lab
  }

  private async prepare(persona: Persona): Promise<void> {
    this.subnet = await networkCalled(this.name)
    this.folder = await mkdtemp(join(tmpdir(), 'cowrie-lab-'))
    for (const name of ['control', 'out', 'state']) {
      await mkdir(join(this.folder, name))
      await chown(join(this.folder, name), serviceUser, serviceUser)
    }
    await this.control('persona.json', persona)
    await this.control('context.json', { decoy: '01920000-0000-7000-8000-0000000000d1', revision: 1 })
    await this.control('egress.json', [{ cidr: `${this.subnet}.9/32`, proto: 'tcp', port: 80 }])
    for (const [name, host] of [
      [this.attacker, 9],
      [`${this.name}-other`, 10],
    ]) {
      const place = ['--network', this.name, '--ip', `${this.subnet}.${host}`]
      await docker('run', '-d', '--name', String(name), ...place, 'marshlight/lab-attacker:dev', 'payload-server')
    }
  }

  private async startDecoy(persona: Persona): Promise<void> {
    const control = `${this.folder}/control:/marshlight/control:ro`
    const bare = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '-v', control]
    const rights = ['NET_ADMIN', 'SETUID', 'SETGID', 'SETPCAP'].flatMap((right) => ['--cap-add', right])
    const place = ['--network', this.name, '--ip', this.decoy, '--sysctl', `net.ipv4.ip_default_ttl=${persona.ttl}`]
    await docker('run', '-d', '--name', this.pod, ...bare, ...rights, ...place, 'marshlight/pod:dev')
    const verified = () => command('docker', ['exec', this.pod, 'marshlight-pod', 'verify'])
    await eventually(async () => ((await verified()).code === 0 ? true : undefined), 'the pod has its filter')
    const mounts = ['out', 'state'].flatMap((name) => ['-v', `${this.folder}/${name}:/marshlight/${name}`])
    const limits = ['--memory', '192m', '--pids-limit', '64', '--tmpfs', '/tmp:size=8m', '--user', '2600:2600']
    const net = ['--network', `container:${this.pod}`]
    await docker('run', '-d', '--name', this.service, ...bare, ...net, ...limits, ...mounts, 'marshlight/cowrie:dev')
    await this.status((status) => status.readyAt !== null, 'the decoy listens')
  }

  /** As the agent does it: whole, by rename. */
  async control(name: string, value: unknown): Promise<void> {
    const path = join(this.folder, 'control', name)
    await writeFile(`${path}.new`, typeof value === 'string' ? value : JSON.stringify(value))
    await rename(`${path}.new`, path)
  }

  status(accept: (status: Status) => boolean, what: string): Promise<Status> {
    return eventually(async () => {
      const text = await readFile(join(this.folder, 'out/status.json'), 'utf8').catch(() => undefined)
      const status = text === undefined ? undefined : (JSON.parse(text) as Status)
      return status && accept(status) ? status : undefined
    }, what)
  }

  /** `ssh` from the attacker; without a command an interactive shell. */
  sshArguments(user: string, password: string, ...options: string[]): string[] {
    const quiet = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR']
    // The first value of an option counts.
    const target = [...options, ...quiet.flatMap((option) => ['-o', option]), `${user}@${this.decoy}`]
    return ['exec', '-i', this.attacker, 'sshpass', '-p', password, 'ssh', ...target]
  }

  ssh(user: string, password: string, line: string, ...options: string[]): Promise<Ran> {
    return command('docker', [...this.sshArguments(user, password, ...options), line])
  }

  onAttacker(...args: string[]): Promise<Ran> {
    return command('docker', ['exec', this.attacker, ...args])
  }

  async events(): Promise<string[]> {
    const folder = join(this.folder, 'out/events')
    const files = (await readdir(folder)).sort((a, b) => Number(a.match(/\d+/)) - Number(b.match(/\d+/)))
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
    return texts.join('').trim().split('\n')
  }

  /** For what a test put onto the network: it goes before the network does. */
  beforeStop(stop: () => Promise<unknown>): void {
    this.guests.push(stop)
  }

  private async stop(): Promise<void> {
    for (const leave of this.guests) await leave().catch(() => undefined)
    const containers = [this.service, this.pod, this.attacker, `${this.name}-other`]
    await command('docker', ['rm', '-f', '-v', ...containers])
    await command('docker', ['network', 'rm', this.name])
    if (this.folder) await rm(this.folder, { recursive: true, force: true })
  }
}

/** A shell that stays open: lines in, and what comes back until a text is seen. */
export class Shell {
  private readonly child: ChildProcess
  private text = ''

  constructor(lab: Lab, user: string, password: string) {
    this.child = spawn('docker', lab.sshArguments(user, password, '-tt'), { stdio: ['pipe', 'pipe', 'ignore'] })
    this.child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
      this.text += piece
    })
  }

  async until(pattern: RegExp): Promise<string> {
    const seen = await eventually(
      async () => (pattern.test(this.text) ? this.text : undefined),
      `${pattern} in the shell`,
    )
    this.text = ''
    return seen
  }

  type(line: string): void {
    this.child.stdin?.write(`${line}\r`)
  }

  close(): void {
    this.child.kill('SIGKILL')
  }
}
