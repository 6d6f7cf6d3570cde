/** What a benchmark made and has to take away again: last made, first gone, and one failure does not keep the rest. */
export class CleanUp {
  readonly #works: (() => unknown)[] = []

  readonly add = (work: () => unknown): void => void this.#works.push(work)

  async run(): Promise<void> {
    const failures: unknown[] = []
    for (const work of this.#works.splice(0).reverse()) {
      try {
        await work()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `not all was taken away: ${failures.join('; ')}`)
  }
}

/** Runs `work` and then takes away what it gave to be taken away, also when it fails; its own error comes first. */
export async function cleanedUp<T>(work: (cleanUp: CleanUp) => Promise<T>): Promise<T> {
  const cleanUp = new CleanUp()
  const [done] = await Promise.allSettled([work(cleanUp)])
  const [cleaned] = await Promise.allSettled([cleanUp.run()])
  if (done.status === 'rejected') throw done.reason
  if (cleaned.status === 'rejected') throw cleaned.reason
  return done.value
}
