import { randomBytes } from 'node:crypto'
import { lookup, Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { parseResolvers } from '../../../shared/host-network.ts'
import { type Check, firstHop, type Outcome, usualMs } from './check.ts'

/** What one name server says: addresses of the controller's name, or that there is none; `silent`: nothing at all. */
export type Asked = {
  server: string
  silent: boolean
  /** Undefined: it was not asked for the controller. */
  found?: readonly string[]
  /** Why it could not find the controller's name out, where it says that and not that there is none. */
  unable?: string
  /** What it made up for a name that cannot be (RFC 6761, 6.4). */
  madeUp: readonly string[]
}

const [timeoutMs, tries] = [1500, 2]
const nowhere = /^(0\.|127\.)/

export const names: Check = {
  name: 'name lookup',
  rests: ['cable', 'address', 'gateway'],
  withinMs: usualMs,
  async run(context) {
    const { config, root } = context
    const host = firstHop(context)?.host
    const whose = config.proxy === undefined ? 'controller' : 'proxy'
    if (host !== undefined && isIP(host) !== 0)
      return { ok: true, detail: `not needed: the ${whose} is known by its address, ${host}` }
    const servers = parseResolvers(await readFile(join(root, '/etc/resolv.conf'), 'utf8').catch(() => ''))
    const [asked, known] = await Promise.all([
      Promise.all(servers.slice(0, 4).map((server) => askServer(server, host))),
      host === undefined
        ? []
        : lookup(host, { all: true }).then(
            (all) => all.map(({ address }) => address),
            () => [],
          ),
    ])
    return judgeNames(host, asked, known)
  },
}

/** `known`: what this machine makes of the name by all its ways, its own list of hosts too. */
export function judgeNames(host: string | undefined, asked: readonly Asked[], known: readonly string[]): Outcome {
  const faults = serversFault(host, asked)
  if (!faults) return { ok: true, detail: wellWords(host, asked, known) }
  // What works without them need not be mended before the box can be left.
  const needed = host !== undefined && !(known.length > 0 && known.every((ip) => !isElsewhere(ip, asked)))
  return { ok: !needed, ...faults }
}

function serversFault(host: string | undefined, asked: readonly Asked[]): Omit<Outcome, 'ok'> | undefined {
  const listed = (which: readonly Asked[]) => which.map(({ server }) => server).join(', ')
  const alive = asked.filter(({ silent }) => !silent)
  if (asked.length === 0)
    return {
      detail: 'this box was told no name server (DNS)',
      next: 'Ask whoever runs this network for its name server, and enter it.',
    }
  if (alive.length === 0)
    return {
      detail: `no name server answers: ${listed(asked)}`,
      next: 'Ask whoever runs this network for the right name server, and whether this box may ask it (port 53).',
    }
  const inventive = alive.filter(({ madeUp }) => madeUp.length > 0)
  if (inventive.length > 0)
    return {
      detail: `${listed(inventive)} gives false answers: it leads every name to ${inventive[0]?.madeUp[0]}`,
      next: 'This network wants a log-in first (as hotels do): ask whoever runs it to let this box through without.',
    }
  if (host === undefined) return undefined
  const astray = alive.filter(({ found = [] }) => found.length > 0 && found.every((ip) => nowhere.test(ip)))
  if (astray.length > 0)
    return {
      detail: `${listed(astray)} leads ${host} nowhere (${astray[0]?.found?.[0]})`,
      next: `Ask whoever runs this network not to block the name ${host}.`,
    }
  const unable = alive.filter((one) => one.unable !== undefined)
  if (unable.length > 0)
    return {
      detail: `${listed(unable)} answers, but cannot find out names (${unable[0]?.unable})`,
      next: 'Ask whoever runs this network whether its name server has a way out and lets this box ask it.',
    }
  const ignorant = alive.filter(({ found = [] }) => found.length === 0)
  if (ignorant.length > 0)
    return {
      detail: `${listed(ignorant)} knows no ${host}, the name of the controller`,
      next: `Ask whoever runs this network to have its name server know ${host}; is the name right?`,
    }
  return undefined
}

const isElsewhere = (ip: string, asked: readonly Asked[]): boolean =>
  asked.some(({ madeUp }) => madeUp.includes(ip)) ||
  (nowhere.test(ip) && asked.some(({ found = [] }) => found.includes(ip)))

function wellWords(host: string | undefined, asked: readonly Asked[], known: readonly string[]): string {
  const dead = asked.filter(({ silent }) => silent).map(({ server }) => server)
  const live = asked.filter(({ silent }) => !silent).map(({ server }) => server)
  const result = host === undefined ? '' : `; ${host} is ${known.slice(0, 3).join(', ') || 'known'}`
  return `${live.join(', ')} answers${dead.length > 0 ? ` (${dead.join(', ')} does not)` : ''}${result}`
}

async function askServer(server: string, host: string | undefined): Promise<Asked> {
  const resolver = new Resolver({ timeout: timeoutMs, tries })
  resolver.setServers([server])
  let silent = true
  let unable: string | undefined
  const resolve = async (name: string): Promise<string[]> => {
    try {
      const found = await resolver.resolve4(name)
      silent = false
      return found
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      // Told no is told something; only silence and a closed port are none.
      if (!['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED'].includes(code)) silent = false
      if (name === host && ['ESERVFAIL', 'EREFUSED'].includes(code)) unable = code
      return []
    }
  }
  const cannotBe = `${randomBytes(6).toString('hex')}.invalid`
  const [madeUp, found] = await Promise.all([resolve(cannotBe), host === undefined ? undefined : resolve(host)])
  return { server, silent, madeUp, ...(found !== undefined && { found }), ...(unable !== undefined && { unable }) }
}
