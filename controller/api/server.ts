import { createHash, timingSafeEqual } from 'node:crypto'
import { chmod, mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import fastify, { type FastifyInstance } from 'fastify'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { ApiDeps, Routes } from './port.ts'

const statusOf: Partial<Record<MarshlightError['code'], number>> = {
  NOT_FOUND: 404,
  AMBIGUOUS: 409,
  CONFLICT: 409,
  NEVER_BLOCK: 409,
  API_DENIED: 401,
  TIMEOUT: 504,
}

type Listen = { socket: string; remote?: { host: string; port: number; key: string; cert: string; token: string } }

/** The controller's API: always on a Unix socket that only its owner may open; over TLS with a token where configured. */
export function makeApi(routes: readonly Routes[], deps: ApiDeps, listen: Listen): Part {
  const apps: FastifyInstance[] = []

  function build(https?: { key: string; cert: string }): FastifyInstance {
    const options = { logger: false, bodyLimit: 1_048_576, forceCloseConnections: true } as const
    const app: FastifyInstance = https
      ? (fastify({ ...options, https: { ...https, minVersion: 'TLSv1.3' } }) as unknown as FastifyInstance)
      : fastify(options)
    app.setErrorHandler((error, _request, reply) => {
      const known = error instanceof MarshlightError
      if (!known) deps.log.error({ err: error }, 'a request failed')
      const status = known ? (statusOf[error.code] ?? 400) : ((error as { statusCode?: number }).statusCode ?? 500)
      reply.status(status).send({
        error: known
          ? { code: error.code, message: error.message, next: error.next, details: error.details }
          : { code: 'INTERNAL', message: wordsOf(error), next: 'See the log of `marshlight serve`.' },
      })
    })
    app.setNotFoundHandler((request) => {
      throw new MarshlightError('NOT_FOUND', { kind: 'route', value: request.url, command: 'marshlight --help' })
    })
    for (const route of routes) route(app, deps)
    apps.push(app)
    return app
  }

  return {
    name: 'api',
    async start() {
      await mkdir(dirname(listen.socket), { recursive: true })
      await rm(listen.socket, { force: true })
      await build().listen({ path: listen.socket })
      await chmod(listen.socket, 0o600)
      const { remote } = listen
      if (!remote) return
      const app = build({ key: remote.key, cert: remote.cert })
      app.addHook('onRequest', async (request) => {
        if (!sameSecret(request.headers.authorization ?? '', `Bearer ${remote.token}`))
          throw new MarshlightError('API_DENIED')
      })
      await app.listen({ host: remote.host, port: remote.port })
    },
    async stop() {
      for (const app of apps.splice(0)) await app.close()
      await rm(listen.socket, { force: true })
    },
  }
}

/** Compares in constant time, whatever the lengths. */
const sameSecret = (a: string, b: string) => timingSafeEqual(hash(a), hash(b))
const hash = (text: string) => createHash('sha256').update(text).digest()
