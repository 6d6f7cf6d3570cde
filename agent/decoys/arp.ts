import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { retryDelay } from '../../shared/retry.ts'
import { answererIn, type Claim, claimIn } from './arp-line.ts'

/** Who holds which address in a segment. */
export interface Arp {
  /**
   * The MAC of a real host that has `ip`, or undefined. What is sent from a card is not seen by the macvlan children of
   * that card, so decoys of our own never answer.
   */
  check(nic: string, ip: string): Promise<string | undefined>
  /** Calls back for each claim seen on the card, own decoys' included, until the signal ends. */
  listen(nic: string, onClaim: (claim: Claim) => void, signal: AbortSignal): Promise<void>
}

/** A host of the segment answers within a few milliseconds; a second probe makes up for one that was lost. */
const answerWithinMs = 400
const secondProbeMs = 150

export function makeArp(deps: { log: Log; clock: Clock; random: Random }): Arp {
  const { log, clock, random } = deps
  return {
    check: async (nic, ip) => {
      const late = async () => {
        await clock.sleep(secondProbeMs)
        return probe(nic, ip, answerWithinMs - secondProbeMs)
      }
      const [first, second] = await Promise.all([probe(nic, ip, answerWithinMs), late()])
      return first ?? second
    },
    listen: async (nic, onClaim, signal) => {
      for (let failures = 1; !signal.aborted; failures++) {
        const startedAt = clock.now()
        const why = await follow(nic, onClaim, signal)
        if (signal.aborted) return
        if (clock.now() - startedAt > 60_000) failures = 1
        const delayMs = retryDelay(failures, { firstMs: 500, capMs: 30_000, random })
        log.warn({ nic, why, delayMs }, 'the ARP listener ended; it is started again')
        await clock.sleep(delayMs, signal).catch(() => undefined)
      }
    },
  }
}

/** Asks once who has `ip`, with no address of its own (RFC 5227, 2.1.1), and waits `waitMs`. */
async function probe(nic: string, ip: string, waitMs: number): Promise<string | undefined> {
  const child = spawn('arping', ['-D', '-f', '-c', '1', '-w', '1', '-I', nic, ip], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), waitMs)
  const why = await ended(child)
  clearTimeout(timer)
  const mac = answererIn(output)
  // 0: no answer within its own time; SIGKILL: none within ours; 1: an answer.
  if (mac === undefined && why !== 'exit code 0' && why !== 'SIGKILL')
    throw new MarshlightError('COMMAND_FAILED', {
      command: `arping -D -I ${nic} ${ip}`,
      why: complaint.trim().slice(0, 200) || why,
      next: 'Is the card up, and arping installed? `marshlight-agent doctor` tells.',
    })
  return mac
}

async function follow(nic: string, onClaim: (claim: Claim) => void, signal: AbortSignal): Promise<string> {
  const child = spawn('tcpdump', ['--immediate-mode', '-l', '-n', '-e', '-t', '-s', '128', '-i', nic, 'arp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const end = () => child.kill('SIGKILL')
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const claim = claimIn(line)
    if (claim) onClaim(claim)
  })
  const why = await ended(child)
  signal.removeEventListener('abort', end)
  return why
}

async function ended(child: ChildProcess): Promise<string> {
  try {
    const [code, killed] = (await once(child, 'close')) as [number | null, string | null]
    return killed ?? `exit code ${code}`
  } catch (error) {
    return (error as Error).message
  }
}
