import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Identity } from '../../agent/enrol/index.ts'
import type { CleanUp } from './clean-up.ts'
import { end } from './controller.ts'

const deadlineSeconds = 500

/** Processes that hold a crowd of agents between them, and what each of them says. */
export class Crowd {
  readonly #parts: ChildProcess[]

  constructor(
    cleanUp: CleanUp,
    identities: readonly Identity[],
    how: { folder: string; eager: boolean },
    parts: number,
  ) {
    const each = Math.ceil(identities.length / parts)
    this.#parts = Array.from({ length: parts }, (_, i) => {
      const part = fork(join(import.meta.dirname, 'crowd-agents.ts'), {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      cleanUp.add(() => end(part, 0))
      part.send({ identities: identities.slice(i * each, (i + 1) * each), ...how })
      return part
    })
  }

  tell(message: object): void {
    for (const part of this.#parts) part.send(message)
  }

  /** What each part says under `what`, from now on. */
  said<T>(what: string): Promise<T[]> {
    const told = Promise.all(this.#parts.map((part) => this.#one(part, what) as Promise<T>))
    // Who asks may be busy with something else when it fails.
    told.catch(() => undefined)
    return told
  }

  #one(part: ChildProcess, what: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => stop(() => reject(new Error(`the crowd did not say ${what} within ${deadlineSeconds} s`))),
        deadlineSeconds * 1000,
      )
      const listen = (message: unknown) => {
        const told = message as Record<string, unknown>
        if (what in told) stop(() => resolve(told[what]))
      }
      const gone = () => stop(() => reject(new Error('a part of the crowd ended')))
      const stop = (then: () => void) => {
        clearTimeout(late)
        part.off('message', listen).off('exit', gone)
        then()
      }
      part.on('message', listen).on('exit', gone)
    })
  }
}
