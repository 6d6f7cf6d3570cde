import type { FastifyReply } from 'fastify'

/**
 * Answers with NDJSON until the client goes away: first `backlog`, then whatever `subscribe` gives. An empty line every
 * 15 s keeps the connection known to be alive.
 */
export function streamLines<T>(
  reply: FastifyReply,
  backlog: readonly T[],
  subscribe: (send: (item: T) => void) => () => void,
): void {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, { 'content-type': 'application/x-ndjson' })
  for (const item of backlog) raw.write(`${JSON.stringify(item)}\n`)
  const off = subscribe((item) => void raw.write(`${JSON.stringify(item)}\n`))
  const beat = setInterval(() => raw.write('\n'), 15_000)
  raw.on('close', () => {
    clearInterval(beat)
    off()
  })
}
