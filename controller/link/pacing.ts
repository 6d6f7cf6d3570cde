import { makeBucket } from './guard.ts'

export type Limits = { bytesPerSecond: number; messagesPerSecond: number; packetsPerSecond: number }

/** How many milliseconds a sender has to wait with a message of so many bytes; each has buckets of its own. */
export function makePacing({ bytesPerSecond, messagesPerSecond }: Limits, now: () => number) {
  const paces = new WeakMap<object, ReturnType<typeof paceOfOne>>()
  const paceOfOne = () => ({
    bytes: makeBucket(bytesPerSecond, bytesPerSecond, now),
    messages: makeBucket(messagesPerSecond, messagesPerSecond, now),
  })
  return (sender: object, size: number): number => {
    const pace = paces.get(sender) ?? paceOfOne()
    paces.set(sender, pace)
    return Math.max(pace.bytes.take(size), pace.messages.take(1))
  }
}
