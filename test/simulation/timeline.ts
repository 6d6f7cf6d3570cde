import { forTerminal } from '../../shared/terminal.ts'

export type StepResult = { name: string; ok: boolean; seconds: number; error?: string }

/** What the demo tells while it runs, on standard error so that `--json` keeps standard output for the summary alone. */
export type Timeline = {
  /** Opens a chapter. */
  step(name: string): void
  /** One thing that happened, with the seconds since the start. */
  tell(text: string): void
  /** Something that goes on: rewritten in place on a terminal, one line now and then elsewhere. */
  progress(text: string): void
}

const elsewhereEveryMs = 5000

export function makeTimeline(stream: NodeJS.WriteStream, now: () => number): Timeline {
  const began = now()
  let open = false
  let lastProgress = 0
  const stamp = () => `${((now() - began) / 1000).toFixed(1).padStart(7)} s`
  const close = () => {
    if (open) stream.write('\r\u001b[K')
    open = false
  }
  return {
    step(name) {
      close()
      stream.write(`\n${name}\n`)
    },
    tell(text) {
      close()
      stream.write(`${stamp()}  ${forTerminal(text)}\n`)
    },
    progress(text) {
      if (stream.isTTY) {
        stream.write(`\r\u001b[K${stamp()}  ${forTerminal(text).slice(0, (stream.columns || 80) - 14)} …`)
        open = true
      } else if (now() - lastProgress >= elsewhereEveryMs) {
        lastProgress = now()
        stream.write(`${stamp()}  ${forTerminal(text)} …\n`)
      }
    },
  }
}
