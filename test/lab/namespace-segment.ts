import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const exec = promisify(execFile)

/** Runs a command; throws with what it printed. */
export const run = async (command: string, ...argv: string[]): Promise<string> =>
  (await exec(command, argv, { timeout: 30_000, maxBuffer: 16 * 1024 * 1024 })).stdout

/** Whether a command succeeds. */
export const succeeds = (command: string, ...argv: string[]): Promise<boolean> =>
  exec(command, argv, { timeout: 30_000 }).then(
    () => true,
    () => false,
  )

/** What takes away at its end what was made: a test, or what is no test. */
export type Ends = { after(work: () => unknown): void }

export type Segment = {
  /** A namespace of this test on the segment, with a card `seg0`, gone with the test. Returns its name. */
  host(name: string, address: string, mac?: string): Promise<string>
  /** The same for a program of an image: a container without any other network. */
  container(
    name: string,
    address: string,
    mac: string,
    image: string,
    command: string,
    more?: readonly string[],
  ): Promise<string>
  /** A further address on a macvlan child of another namespace's card, as a decoy has. */
  macvlan(name: string, parent: string, address: string, mac: string): Promise<string>
  bridge: string
}

/**
 * A broadcast domain in namespaces of its own, without a way out: a bridge in one, a veth pair for each host.
 * `label` keeps the names of tests apart.
 */
export async function makeSegment(t: Ends, label: string): Promise<Segment> {
  const prefix = `${label}${process.pid}`
  const bridge = await namespace(t, `${prefix}-lan`)
  await run('ip', '-n', bridge, 'link', 'add', 'br0', 'type', 'bridge')
  await run('ip', '-n', bridge, 'link', 'set', 'br0', 'up')
  let count = 0

  async function host(name: string, address: string, mac?: string): Promise<string> {
    return plug(await namespace(t, `${prefix}-${name}`), address, mac)
  }

  async function container(
    name: string,
    address: string,
    mac: string,
    image: string,
    command: string,
    more: readonly string[] = [],
  ) {
    const space = `${prefix}-${name}`
    t.after(() => run('docker', 'rm', '-f', space))
    const options = ['--network', 'none', '--name', space, '--entrypoint', 'sh', ...more]
    await run('docker', 'run', '-d', ...options, image, '-c', command)
    const pid = (await run('docker', 'inspect', '-f', '{{.State.Pid}}', space)).trim()
    await run('ip', 'netns', 'attach', space, pid)
    t.after(() => run('ip', 'netns', 'delete', space))
    return plug(space, address, mac)
  }

  async function plug(space: string, address: string, mac?: string): Promise<string> {
    const port = `port${count++}`
    await run('ip', '-n', bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'seg0', 'netns', space)
    await run('ip', '-n', bridge, 'link', 'set', port, 'master', 'br0', 'up')
    if (mac) await run('ip', '-n', space, 'link', 'set', 'seg0', 'address', mac)
    await run('ip', '-n', space, 'address', 'add', address, 'dev', 'seg0')
    await run('ip', '-n', space, 'link', 'set', 'seg0', 'up')
    return space
  }

  async function macvlan(name: string, parent: string, address: string, mac: string): Promise<string> {
    const space = await namespace(t, `${prefix}-${name}`)
    const at = ['-n', parent, 'link', 'add', 'link', 'seg0', 'name', 'mv0', 'netns', space]
    await run('ip', ...at, 'address', mac, 'type', 'macvlan', 'mode', 'bridge')
    await run('ip', '-n', space, 'address', 'add', address, 'dev', 'mv0')
    await run('ip', '-n', space, 'link', 'set', 'mv0', 'up')
    return space
  }

  return { host, container, macvlan, bridge }
}

/** A network namespace that is removed, with whatever runs in it, when the test ends. */
export async function namespace(t: Ends, name: string): Promise<string> {
  await run('ip', 'netns', 'add', name)
  t.after(async () => {
    const pids = (await run('ip', 'netns', 'pids', name).catch(() => '')).split('\n').filter(Boolean)
    for (const pid of pids) {
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // It ended by itself between the listing and here.
      }
    }
    await run('ip', 'netns', 'delete', name)
  })
  await run('ip', '-n', name, 'link', 'set', 'lo', 'up')
  return name
}

/** Starts a program inside a namespace; it ends with the namespace. */
export const spawnIn = (space: string, command: string, ...argv: string[]): ChildProcess =>
  spawn('ip', ['netns', 'exec', space, command, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })

/** Resolves when the program prints something that fits on standard output or error. */
export const printed = (child: ChildProcess, words: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    let seen = ''
    const look = (chunk: Buffer) => {
      seen += chunk.toString()
      if (words.test(seen)) resolve(seen)
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.on('exit', (code) => reject(new Error(`ended with ${code} before it printed ${words}: ${seen}`)))
  })

/** Asks again until it is so; throws after `seconds`. */
export async function until(what: string, ask: () => Promise<boolean>, seconds = 20): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`not so after ${seconds} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A part run in a namespace by a runner script, spoken to over the process channel. */
export function runnerIn(t: Test, space: string, script: string, argument: unknown) {
  const argv = ['netns', 'exec', space, process.execPath, script, JSON.stringify(argument)]
  const child = spawn('ip', argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const told: Record<string, unknown>[] = []
  const waiting = new Set<() => void>()
  child.on('message', (message) => {
    told.push(message as Record<string, unknown>)
    for (const look of waiting) look()
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  t.after(() => void child.kill('SIGKILL'))

  /** The first message from number `from` on that fits; throws after `seconds`. */
  const next = (fits: (message: Record<string, unknown>) => boolean, seconds = 20, from = 0) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look)
        reject(new Error(`nothing fitting in ${seconds} s; told: ${JSON.stringify(told).slice(0, 4000)}`))
      }, seconds * 1000)
      const look = () => {
        const found = told.slice(from).find(fits)
        if (!found) return
        clearTimeout(timer)
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  const kill = () => {
    child.kill('SIGKILL')
    return ended
  }
  return { told, next, send: (message: unknown) => void child.send(message as object), ended, kill }
}
