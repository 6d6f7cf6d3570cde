import { MarshlightError } from '../../shared/errors.ts'
import { readWiped } from '../enrol/index.ts'
import { asJson, details, type Terminal } from './print.ts'
import { type AgentStatus, askStatus } from './status-socket.ts'

/** Shows the running agent's status. Exit code 1 where none runs, or a room waits, or the controller is away. */
export async function status(o: { stateDir: string; json: boolean }, terminal: Terminal): Promise<number> {
  const found = await askStatus(o.stateDir)
  const wiped = found ? undefined : await readWiped(o.stateDir)
  if (wiped) throw new MarshlightError('WIPED', { at: wiped.at, reason: wiped.reason })
  if (!found)
    throw new MarshlightError('CONFLICT', {
      what: `no agent runs on ${o.stateDir}`,
      next: 'Start it: `marshlight-agent run`.',
    })
  terminal.out(o.json ? asJson(found) : words(found))
  return isWell(found) ? 0 : 1
}

const isWell = ({ link, rooms }: AgentStatus): boolean =>
  link.connected && Object.values(rooms).every(({ state }) => state === 'running')

function renewalWords({ renewal: { renewsAt, waitsForUse, lastError } }: AgentStatus): string {
  if (waitsForUse) return 'a new certificate came, and is used with the next connection'
  return lastError === undefined ? `at ${renewsAt}` : `was due at ${renewsAt}, failed: ${lastError}`
}

function updateWords({ updates: { update, launcher } }: AgentStatus): string {
  if (!update) return launcher ? 'none' : 'none; this agent was started without its launcher, and takes none'
  const { version, phase, bytes, of, reason } = update
  const share = of === undefined || phase !== 'fetching' ? '' : `, ${Math.floor(((bytes ?? 0) / of) * 100)} %`
  return `${version}: ${phase}${share}${reason === undefined ? '' : `: ${reason}`}`
}

function words(found: AgentStatus): string {
  const waiting = Object.entries(found.spool.waiting).filter(([, count]) => count > 0)
  const link = found.link.connected
    ? `connected to ${found.controller} since ${found.link.since}`
    : `not connected to ${found.controller}: ${found.link.lastError ?? 'not tried yet'}`
  return details([
    ['agent', `${found.name} (${found.agent})`],
    ['roles', found.roles.join(', ')],
    ['version', found.version],
    ['running', `since ${found.startedAt}, process ${found.pid}, ${found.rssMb} MB`],
    ['controller', link],
    ['acknowledged', found.link.acknowledgedAt],
    ['certificate', `until ${found.renewal.expiresAt}`],
    ['renewal', renewalWords(found)],
    ['update', updateWords(found)],
    ['plan', `revision ${found.planRevision}`],
    ['blocks', `revision ${found.blocksRevision}`],
    [
      'spool',
      `${found.spool.mb} MB; waiting: ${waiting.map(([name, count]) => `${name} ${count}`).join(', ') || 'none'}`,
    ],
    ...Object.entries(found.rooms).map(
      ([name, { state, reason }]) => [name, reason ? `${state}: ${reason}` : state] as const,
    ),
  ])
}
