import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A part of the system as a process that is killed and started again. */
export type Victim = {
  readonly kills: number
  start(): ChildProcess
  /** kill -9, and gone when it resolves. */
  kill(): Promise<void>
  /** Asks it to end, and waits for it. Rejects when it ends otherwise than well. */
  end(): Promise<void>
}

const endMs = 20_000

/** `onOwnEnd` is told when the process ends though nobody ended it. */
export function makeVictim(name: string, launch: () => ChildProcess, onOwnEnd: (what: string) => void): Victim {
  let running: ChildProcess | undefined
  let kills = 0

  function release(): ChildProcess | undefined {
    const child = running
    running = undefined
    return child
  }

  return {
    get kills() {
      return kills
    },
    start() {
      const child = launch()
      running = child
      child.once('exit', (code, signal) => {
        if (running !== child) return
        running = undefined
        onOwnEnd(`${name} ended by itself (${code ?? signal})`)
      })
      return child
    },
    async kill() {
      const child = release()
      if (!child) return
      kills++
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
    async end() {
      const child = release()
      if (!child) return
      const gone = once(child, 'exit')
      const late = setTimeout(() => child.kill('SIGKILL'), endMs)
      child.kill('SIGTERM')
      const [code, signal] = await gone
      clearTimeout(late)
      if (code !== 0) throw new Error(`${name} was asked to end, and ended with ${code ?? signal}`)
    },
  }
}
