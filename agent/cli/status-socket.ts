import { chmod, mkdir, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import { plainly } from '../../shared/system-errors.ts'
import type { RenewalStanding } from '../enrol/index.ts'
import type { LinkStanding } from '../link/port.ts'
import type { UpdatesStanding } from '../updates/index.ts'
import type { RoomState } from './supervised.ts'

/** What a running agent says of itself. */
export type AgentStatus = {
  agent: string
  name: string
  roles: string[]
  version: string
  pid: number
  startedAt: string
  rssMb: number
  controller: string
  certificateExpiresAt: string
  renewal: RenewalStanding
  link: LinkStanding
  rooms: Record<string, RoomState>
  updates: UpdatesStanding
  planRevision: number
  blocksRevision: number
  /** By stream: how many records this spool numbered so far, and how many the controller has not acknowledged. */
  spool: { mb: number; written: Record<string, number>; waiting: Record<string, number> }
}

export const socketPath = (stateDir: string) => join(stateDir, 'agent.sock')
const answerDeadlineMs = 3_000

/**
 * Tells the agent's status, one JSON document a connection, to whoever may open the socket (root). It is the lock of the
 * state folder too: two agents on one spool would destroy it, so the second refuses to start.
 */
export function makeStatusSocket(stateDir: string, status: () => AgentStatus): Part {
  const path = socketPath(stateDir)
  let server: Server | undefined
  return {
    name: 'status',
    async start() {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const other = await askStatus(stateDir)
      if (other)
        throw new MarshlightError('CONFLICT', {
          what: `an agent runs on ${stateDir} already (process ${other.pid})`,
          next: 'Stop it first, or give this one another folder with --state.',
        })
      await rm(path, { force: true })
      const made = createServer((socket) => {
        socket.on('error', () => {})
        socket.end(JSON.stringify(status()))
      })
      await new Promise<void>((resolve, reject) => {
        made.once('error', reject)
        made.listen(path, resolve)
      })
      server = made
      await chmod(path, 0o600)
    },
    async stop() {
      const closing = server
      server = undefined
      if (!closing) return
      await new Promise<void>((resolve) => closing.close(() => resolve()))
      await rm(path, { force: true })
    },
  }
}

/** The status of the agent that runs on `stateDir`; undefined where none does. */
export function askStatus(stateDir: string): Promise<AgentStatus | undefined> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = createConnection(socketPath(stateDir))
    socket.setEncoding('utf8')
    const late = () =>
      new MarshlightError('TIMEOUT', {
        ...{ what: 'an answer of the agent', seconds: answerDeadlineMs / 1000 },
        next: 'It may just be starting: ask again in a minute.',
      })
    socket.setTimeout(answerDeadlineMs, () => socket.destroy(late()))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(plainly(error))
    })
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text) as AgentStatus)
      } catch (error) {
        reject(error)
      }
    })
  })
}
