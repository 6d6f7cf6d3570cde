export type Slot = 'A' | 'B'

/**
 * Two places for the base system, of which the bootloader starts one.
 *
 *   write(other) -> setTrial(other) -> start anew -> confirm
 *                        else the bootloader takes the confirmed one again by itself
 *
 * Invariant: the slot that was started is never written.
 */
export interface SystemSlots {
  /** The slot this system was started from, and its version. */
  booted(): { slot: Slot; version?: string }
  /** Fills the slot that was not started. */
  write(file: string): Promise<void>
  /** The next start, and only that one, takes the other slot; confirmed within so long, or left again. */
  setTrial(withinSeconds: number): Promise<void>
  /** All starts from now on take the slot that was started. */
  confirm(): Promise<void>
  /** No start is taken from elsewhere than the confirmed slot. */
  clearTrial(): Promise<void>
}
