import { MarshlightError, wordsOf } from '../../shared/errors.ts'

type EngineFault = Error & { statusCode?: number; code?: string; json?: { message?: string } }

export const statusOf = (error: unknown): number | undefined => (error as EngineFault).statusCode

/** What the engine said, without the client's wrapping. */
export const wordsOfEngine = (error: unknown): string => (error as EngineFault).json?.message ?? wordsOf(error)

/** The engine's error as one of ours. A fault without an HTTP status is a fault of the connection. */
export function engineError(error: unknown, doing: string, socket: string): MarshlightError {
  if (error instanceof MarshlightError) return error
  const why = wordsOfEngine(error)
  if (statusOf(error) === undefined)
    return new MarshlightError(
      'DOCKER_UNREACHABLE',
      { socket, why, option: '--docker SOCKET' },
      { cause: error as Error },
    )
  return new MarshlightError('COMMAND_FAILED', { command: doing, why, next: nextStep(why) }, { cause: error as Error })
}

/** The remedy for the faults that are met in the field. */
function nextStep(why: string): string {
  if (/parent interface|Pool overlaps|already using/i.test(why))
    return 'Another network of this engine has that card or range: remove it (`docker network ls`).'
  if (/address already in use/i.test(why))
    return 'The engine holds that address for another container; it is tried again.'
  if (/no space left/i.test(why)) return 'Free some space on the engine’s disk.'
  return 'It is tried again; `marshlight-agent doctor` tells more.'
}
