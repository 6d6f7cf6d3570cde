import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import { makeLeds } from './leds.ts'
import type { Codes } from './page.ts'
import { type AddressPorts, makePageAddress } from './page-address.ts'
import { makeScreen } from './screen.ts'
import { type Known, viewOf } from './state.ts'
import { screenText } from './words.ts'

export type ConsoleSettings = {
  /** A text console, as /dev/tty1. */
  screen?: string | undefined
  leds: boolean
  /** `minutes` after the box was switched on the page goes; 0: it never comes. */
  page: { minutes: number; port: number }
}
/** The card that is shown, as the kernel tells it. */
export type CardSeen = {
  name: string
  mac: string
  signal: boolean
  address?: string | undefined
  networks: readonly string[]
}

export type ConsoleDeps = {
  settings: ConsoleSettings
  clock: Clock
  log: Log
  version: string
  /** How long the box has been on, milliseconds. */
  uptimeMs(): number
  /** The first card with a cable, else the first. */
  look(): Promise<CardSeen | undefined>
  /** What others know by now; asked at each look, with the card as it is. */
  know(card: CardSeen | undefined): Partial<Known> | Promise<Partial<Known>>
  /** Takes a code that somebody types at the page while `takesCode` is known. */
  codes?: Codes
  ports: Omit<AddressPorts, 'log'>
  /** /sys/class/leds */
  ledFolder: string
}

const lookMs = 3_000
/** Whether somebody else took the page's address is asked on the line: not at each look. */
const probeMs = 30_000

/**
 * What a technician sees: light, screen and page show one state, which follows from what is known (state.ts).
 *
 *   know(), look() -> viewOf -> LED | screen | page on a link-local address, until its time is over
 *
 * An output that fails is told in the log and left; none of them keeps the agent from its work.
 */
export function makeConsole(deps: ConsoleDeps): Part & { page(): string | undefined } {
  const { settings, clock, log } = deps
  const leds = makeLeds(deps.ledFolder)
  const screen = settings.screen === undefined ? undefined : makeScreen(settings.screen)
  const address = makePageAddress({ ...deps.ports, log })
  const stopping = new AbortController()
  let running: Promise<void> | undefined
  let page: { at: string; close(): Promise<void> } | undefined
  let probedAt = Number.NEGATIVE_INFINITY
  let known: Known = { version: deps.version }
  let shown = ''
  /** The networks of the card, as it was seen last. */
  let near: readonly string[] = []
  const failed = new Set<string>()

  async function tried(output: string, work: () => Promise<void> | void): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!failed.has(output)) log.warn({ output, why: wordsOf(error) }, 'this output of the console does not work')
      failed.add(output)
    }
  }

  const pageAt = () => page && `http://${page.at}/`

  async function round(withPage = true): Promise<void> {
    const card = await deps.look().catch(() => undefined)
    if (withPage) await tried('page', () => tendPage(card))
    // At the very start who is asked may not be able to say anything yet.
    const told = await Promise.resolve()
      .then(() => deps.know(card))
      .catch((): Partial<Known> => ({}))
    known = { version: deps.version, ...told, card, page: pageAt() }
    const view = viewOf(known)
    await tried('screen', () => screen?.show((size) => screenText(known, view, size)))
    if (view.state === shown) return
    log.info({ state: view.state, next: view.next }, view.title)
    shown = view.state
    if (settings.leds) await tried('leds', () => leds.show(view.state))
  }

  /** The page is there for a time after the box was switched on, wherever a cable is. */
  async function tendPage(card: CardSeen | undefined): Promise<void> {
    const wanted = deps.uptimeMs() < settings.page.minutes * 60_000 && card?.signal ? card : undefined
    if (!wanted) return closePage()
    near = wanted.networks
    if (page && clock.now() - probedAt < probeMs) return
    probedAt = clock.now()
    const held = await address.hold(wanted)
    const { port } = settings.page
    const at = held && (port === 80 ? held : `${held}:${port}`)
    if (page?.at === at) return
    await page?.close()
    page = undefined
    if (held === undefined || at === undefined) return
    // Most boxes never have a page, and none has it for long.
    const [{ openPage }, { pageHtml }] = await Promise.all([import('./page.ts'), import('./page-html.ts')])
    const html = () => pageHtml(known, viewOf(known))
    const codes = () => (known.takesCode ? deps.codes : undefined)
    const opened = await openPage({ address: held, port, networks: () => near, html, codes })
    page = { at, close: opened.close }
    log.info({ page: pageAt(), minutes: settings.page.minutes }, 'the status page is there')
  }

  async function closePage(): Promise<void> {
    if (!page) return address.drop()
    log.info({ page: pageAt() }, 'the status page is closed')
    await page.close()
    page = undefined
    await address.drop()
  }

  return {
    name: 'console',
    page: pageAt,
    async start(signal) {
      if (settings.leds) await tried('leds', () => leds.start())
      await tried('screen', () => screen?.start())
      const until = AbortSignal.any([signal, stopping.signal])
      running = (async () => {
        while (!until.aborted) {
          await round()
          await clock.sleep(lookMs, until).catch(() => undefined)
        }
      })()
    },
    async stop() {
      stopping.abort(new Error('stopping'))
      await running
      await tried('page', closePage)
      // What is left on the screen is how it ended.
      await round(false)
      await tried('screen', () => screen?.stop())
      await tried('leds', () => leds.stop())
    },
  }
}
