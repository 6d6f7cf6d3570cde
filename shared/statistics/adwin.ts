export type AdwinOptions = {
  /** How sure a cut must be: the bound of false alarms. */
  delta?: number
  /** Observations between two looks. */
  every?: number
  /** Buckets of one size before two of them become one. */
  buckets?: number
  /** Observations that each side of a cut must have. */
  leastWindow?: number
  /** Observations before the first look. */
  grace?: number
}

/** So many observations, their sum, and the sum of squared distances from their mean. */
type Bucket = { total: number; spread: number }

/** What a window remembers, to be kept and given to another: rows of buckets as total and spread. */
export type AdwinState = { seen: number; rows: [total: number, spread: number][][]; spread: number }

/**
 * ADWIN (Bifet and Gavalda 2007): a window of a stream as long as no cut of it shows two different means. `add` tells
 * whether observations were dropped, so that the stream changed. Memory grows with the logarithm of the window.
 */
export function makeAdwin(
  { delta = 0.002, every = 32, buckets = 5, leastWindow = 5, grace = 10 }: AdwinOptions = {},
  kept?: AdwinState,
) {
  /** Rows of buckets, newest first; a bucket of row r holds 2^r observations; within a row the oldest is first. */
  const rows: Bucket[][] = kept?.rows.map((row) => row.map(([total, spread]) => ({ total, spread }))) ?? [[]]
  let [seen, spread] = [kept?.seen ?? 0, kept?.spread ?? 0]
  let [width, total] = [0, 0]
  for (const [r, row] of rows.entries()) {
    width += row.length * 2 ** r
    for (const bucket of row) total += bucket.total
  }

  function insert(value: number): void {
    rows[0]?.push({ total: value, spread: 0 })
    width++
    if (width > 1) spread += ((width - 1) * (value - total / (width - 1)) ** 2) / width
    total += value
    for (let r = 0; r < rows.length; r++) {
      const row = rows[r] as Bucket[]
      if (row.length <= buckets) break
      const [a, b] = row.splice(0, 2) as [Bucket, Bucket]
      const size = 2 ** r
      const apart = (a.total / size - b.total / size) ** 2
      rows[r + 1] ??= []
      rows[r + 1]?.push({ total: a.total + b.total, spread: a.spread + b.spread + (size * apart) / 2 })
    }
  }

  function dropOldest(): void {
    const r = rows.length - 1
    const row = rows[r] as Bucket[]
    const oldest = row.shift() as Bucket
    const size = 2 ** r
    width -= size
    total -= oldest.total
    if (width > 0)
      spread -= oldest.spread + (size * width * (oldest.total / size - total / width) ** 2) / (size + width)
    if (row.length === 0 && rows.length > 1) rows.pop()
  }

  /** Whether the means of `n0` older and `n1` newer observations differ by more than chance allows. */
  function differs(n0: number, n1: number, away: number): boolean {
    const deltaPrime = Math.log((2 * Math.log(width)) / delta)
    const variance = spread / width
    const m = 1 / (n0 - leastWindow + 1) + 1 / (n1 - leastWindow + 1)
    return Math.abs(away) > Math.sqrt(2 * m * variance * deltaPrime) + (2 / 3) * deltaPrime * m
  }

  function cut(): boolean {
    let [n0, n1, sum0, sum1] = [0, width, 0, total]
    for (let r = rows.length - 1; r >= 0; r--) {
      const row = rows[r] as Bucket[]
      for (const [i, bucket] of row.entries()) {
        // The newest bucket has nothing to be held against.
        if (r === 0 && i === row.length - 1) return false
        const size = 2 ** r
        n0 += size
        n1 -= size
        sum0 += bucket.total
        sum1 -= bucket.total
        if (n1 < leastWindow) return false
        if (n0 >= leastWindow && differs(n0, n1, sum0 / n0 - sum1 / n1)) return true
      }
    }
    return false
  }

  return {
    add(value: number): boolean {
      seen++
      insert(value)
      if (seen % every !== 0 || width <= grace) return false
      let dropped = false
      while (width > 0 && cut()) {
        dropOldest()
        dropped = true
      }
      return dropped
    },
    /** Observations that are remembered, and their mean. */
    window: () => ({ width, mean: width === 0 ? 0 : total / width }),
    state: (): AdwinState => ({
      seen,
      rows: rows.map((row) => row.map((bucket): [number, number] => [bucket.total, bucket.spread])),
      spread,
    }),
  }
}
