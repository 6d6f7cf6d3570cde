/** Tells a person what goes on: one line a step that took more than two seconds, with its time; nothing for what is quick. */
export type Progress = <T>(what: string, work: () => Promise<T>) => Promise<T>

export type ProgressOptions = {
  quiet?: boolean
  out?: NodeJS.WriteStream
}

const tellAfterMs = 2_000
const repeatMs = 1_000
const repeatWithoutTerminalMs = 20_000

/** On a terminal the line counts seconds in place; in a log each step has a line when it starts to last and one at its end. */
export function createProgress({ quiet = false, out = process.stderr }: ProgressOptions = {}): Progress {
  const terminal = out.isTTY === true
  return async (what, work) => {
    const begun = performance.now()
    const seconds = () => Math.round((performance.now() - begun) / 1000)
    let told = false
    const tell = () => {
      told = true
      out.write(terminal ? `\r\x1b[K  ${what} … ${seconds()} s` : `  ${what} … ${seconds()} s\n`)
    }
    const first = setTimeout(tell, tellAfterMs)
    const again = setInterval(tell, terminal ? repeatMs : repeatWithoutTerminalMs)
    first.unref()
    again.unref()
    try {
      const result = await work()
      if (told && !quiet) out.write(`${terminal ? '\r\x1b[K' : ''}  ${what}: done in ${seconds()} s\n`)
      else if (told && terminal) out.write('\r\x1b[K')
      return result
    } catch (error) {
      out.write(`${terminal && told ? '\r\x1b[K' : ''}  ${what}: failed after ${seconds()} s\n`)
      throw error
    } finally {
      clearTimeout(first)
      clearInterval(again)
    }
  }
}
