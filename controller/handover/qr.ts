/** Loaded when one is asked for. Least correction: a screen and a fresh print have no stains, and larger dots read better. */
const load = async () => (await import('qr')).default
const options = { ecc: 'low', border: 2 } as const
/** Of version 40 with least correction (ISO/IEC 18004, table 7). */
const mostBytes = 2953

/**
 * Two dots a character, so that they are about square; dark on light by colours of its own where the terminal has them, as
 * readers want it. Undefined where it is wider than `columns`.
 */
export async function qrForTerminal(text: string, columns: number, coloured: boolean): Promise<string | undefined> {
  if (text.length > mostBytes) return undefined
  const dots = (await load())(text, 'raw', options)
  if ((dots[0]?.length ?? 0) > columns) return undefined
  const lines: string[] = []
  for (let y = 0; y < dots.length; y += 2) {
    const upper = dots[y] ?? []
    // Below the last line there is only light.
    const lower = dots[y + 1] ?? upper.map(() => false)
    const line = upper.map((dark, x) => half(!dark, !lower[x])).join('')
    lines.push(coloured ? `\x1b[97;40m${line}\x1b[0m` : line)
  }
  return lines.join('\n')
}

const half = (upperLight: boolean, lowerLight: boolean): string =>
  upperLight ? (lowerLight ? '█' : '▀') : lowerLight ? '▄' : ' '

/** A picture to print or to show on a phone. Undefined where the text is too long for one. */
export async function qrAsSvg(text: string): Promise<string | undefined> {
  if (Buffer.byteLength(text) > mostBytes) return undefined
  const drawn = (await load())(text, 'svg', { ...options, border: 4 })
  // Its own ground: a viewer with a dark one would show dark on dark.
  return `${drawn.replace(/^<svg [^>]*>/, '$&<rect width="100%" height="100%" fill="#fff"/>')}\n`
}
