import { get } from 'node:http'

const withinMs = 2500

/**
 * Whether a web page answers in the place of `host`, as networks do that want a log-in first: where it leads to, as an
 * origin, or the host itself where it leads nowhere. Undefined: no page, or one that this host may well have itself.
 */
export function loginPageAt(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const over = AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
    const request = get({ host, port, path: '/', agent: false, signal: over }, (response) => {
      const { statusCode = 0, headers } = response
      resolve(judgePage(host, port, statusCode, headers.location))
      response.destroy()
    })
    request.once('error', () => resolve(undefined))
  })
}

export function judgePage(
  host: string,
  port: number,
  status: number,
  location: string | undefined,
): string | undefined {
  const to = originOf(location, host)
  // 511: the network wants a log-in (RFC 6585, 6).
  if (status === 511) return to ?? host
  if (status >= 300 && status < 400 && to !== undefined && new URL(to).hostname !== host) return to
  // Nothing of ours speaks plain HTTP on the port of the controller.
  return port !== 80 ? (to ?? host) : undefined
}

function originOf(location: string | undefined, host: string): string | undefined {
  try {
    return location === undefined ? undefined : new URL(location, `http://${host}`).origin.slice(0, 120)
  } catch {
    return undefined
  }
}
