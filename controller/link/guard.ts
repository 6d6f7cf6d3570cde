/**
 * Watches the bytes of one connection before the MQTT parser sees them: the parser would gather a packet of up to 256 MB,
 * and answers every ping of a flood. MQTT 3.1.1, 2.2: one byte of type, one to four of length (7 bits each), the body.
 */
export type FrameGuard = {
  /** Why the connection has to be closed, if so. */
  push(chunk: Uint8Array): string | undefined
}

type Limits = { packetBytes: number; connectBytes: number; packetsPerSecond: number }

export function makeFrameGuard(limits: Limits, now: () => number): FrameGuard {
  let body = 0
  let lengthBytes = -1
  let length = 0
  let packets = 0
  let second = 0
  let inSecond = 0

  function begin(): string | undefined {
    packets++
    const at = Math.floor(now() / 1000)
    if (at !== second) {
      second = at
      inSecond = 0
    }
    return ++inSecond > limits.packetsPerSecond ? `more than ${limits.packetsPerSecond} packets a second` : undefined
  }

  return {
    push(chunk) {
      let at = 0
      while (at < chunk.length) {
        if (body > 0) {
          const step = Math.min(body, chunk.length - at)
          body -= step
          at += step
          continue
        }
        const byte = chunk[at++] as number
        if (lengthBytes < 0) {
          const why = begin()
          if (why) return why
          lengthBytes = 0
          length = 0
          continue
        }
        length += (byte & 0x7f) * 128 ** lengthBytes++
        if (byte & 0x80) {
          if (lengthBytes === 4) return 'a packet length of more than four bytes'
          continue
        }
        const limit = packets === 1 ? limits.connectBytes : limits.packetBytes
        if (length > limit) return `a packet of ${length} bytes, more than ${limit}`
        body = length
        lengthBytes = -1
      }
      return undefined
    },
  }
}

/** A token bucket. `take` returns how long to wait, milliseconds, before `amount` more fits the rate; 0 within the burst. */
export function makeBucket(perSecond: number, burst: number, now: () => number): { take(amount: number): number } {
  let tokens = burst
  let last = now()
  return {
    take(amount) {
      const at = now()
      // A clock that was set back must not take tokens away.
      tokens = Math.min(burst, tokens + (Math.max(0, at - last) * perSecond) / 1000)
      last = at
      tokens -= amount
      return tokens >= 0 ? 0 : (-tokens / perSecond) * 1000
    },
  }
}
