import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'

const reserveBytes = 32_768
const tryAgainMs = 5_000

/**
 * A few blocks held back, so that a full disk still takes the cursors that tell what is dropped. Given up when a write
 * is refused, taken again when there is space.
 */
export class Reserve {
  readonly #path: string
  readonly #clock: Clock
  #held = false
  #triedAt = Number.NEGATIVE_INFINITY

  constructor(folder: string, clock: Clock) {
    this.#path = join(folder, 'reserve')
    this.#clock = clock
  }

  /** True when it was held, and so gave space back. */
  async release(): Promise<boolean> {
    if (!this.#held) return false
    this.#held = false
    this.#triedAt = this.#clock.now()
    await rm(this.#path, { force: true }).catch(() => {})
    return true
  }

  /** `now`: space was just given back, so there is no need to wait. */
  async take(now = false): Promise<void> {
    if (this.#held || (!now && this.#clock.now() - this.#triedAt < tryAgainMs)) return
    this.#triedAt = this.#clock.now()
    try {
      const file = await open(this.#path, 'w', 0o600)
      try {
        // Written, not merely sized: a hole reserves nothing.
        await file.writeFile(Buffer.alloc(reserveBytes, 1))
        await file.sync()
      } finally {
        await file.close()
      }
      this.#held = true
    } catch {
      await rm(this.#path, { force: true }).catch(() => {})
    }
  }
}
