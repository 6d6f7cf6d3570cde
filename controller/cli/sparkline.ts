const bars = '▁▂▃▄▅▆▇█'

/** One character a value, higher for more; a dot where there is none. */
export function sparkline(values: readonly (number | null)[]): string {
  const seen = values.filter((value) => value !== null)
  const [least, most] = [Math.min(...seen), Math.max(...seen)]
  return values
    .map((value) => {
      if (value === null) return '·'
      const height = most === least ? 0.5 : (value - least) / (most - least)
      return bars[Math.min(bars.length - 1, Math.floor(height * bars.length))]
    })
    .join('')
}
