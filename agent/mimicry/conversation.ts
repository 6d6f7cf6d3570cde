/** One conversation as the sample of a segment shows it, or as it is to be had. Addresses are not in it; a place is a role. */
export type Conversation = {
  /** Milliseconds since 1970. */
  at: number
  /** What it was: `dns`, `https`, `ssh` ... */
  kind: string
  /** Number of the host that began it, which means nothing beyond its watch; without it all are one's. */
  by?: number | undefined
  /** Bytes of each request and its response, in order, and the pause before the request in milliseconds. */
  exchanges: Exchange[]
}
export type Exchange = { request: number; response: number; pauseMs: number }
