import type { Log } from './log.ts'

/** A long-lived part. Its constructor does no work. `stop` may be called after a failed start, and twice. */
export interface Part {
  readonly name: string
  start(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** Starts parts in order; if one fails, stops those that started, in reverse, and throws its error. */
export async function startAll(parts: readonly Part[], signal: AbortSignal, log: Log): Promise<() => Promise<void>> {
  const started: Part[] = []
  const stopAll = async () => {
    for (const part of started.splice(0).reverse()) await stopOne(part, log)
  }
  for (const part of parts) {
    started.push(part)
    try {
      await part.start(signal)
      log.info({ part: part.name }, 'started')
    } catch (error) {
      await stopAll()
      throw error
    }
  }
  return stopAll
}

const stopDeadlineMs = 10_000

async function stopOne(part: Part, log: Log): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), stopDeadlineMs)
  })
  try {
    const end = await Promise.race([part.stop(), late])
    if (end === 'late') log.warn({ part: part.name, deadlineMs: stopDeadlineMs }, 'did not stop in time; left behind')
    else log.info({ part: part.name }, 'stopped')
  } catch (error) {
    log.error({ part: part.name, err: error }, 'failed to stop')
  } finally {
    clearTimeout(timer)
  }
}
