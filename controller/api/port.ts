import type { FastifyInstance } from 'fastify'
import type { Deps, Requests } from '../deps.ts'

/** What routes are given. */
export type ApiDeps = Deps & { requests: Requests }

/**
 * One file a resource: registers its routes below /v1. Bodies and queries are checked with zod through `check` of
 * body.ts. Lists answer `{ items: [...] }`, one thing answers itself, changes answer what changed; `?dryRun=1` answers the
 * same without changing. Errors are thrown MarshlightErrors; server.ts turns them into `{ error: { code, message, next } }`.
 * `?follow=1` streams NDJSON (stream.ts).
 */
export type Routes = (app: FastifyInstance, deps: ApiDeps) => void
