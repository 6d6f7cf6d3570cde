import type { DesiredDecoy } from '../../../shared/schemas/desired-state.ts'
import type { Persona } from '../../../shared/schemas/persona.ts'
import { type Found, found, holds } from '../look.ts'
import type { Ran } from '../ssh-login.ts'

/** What is asked inside, by name. Every one exists on a server and on a BusyBox router, or is left out where it does not. */
export const questions = {
  uname: 'uname -s -r -m',
  version: 'cat /proc/version',
  hostname: 'hostname',
  etcHostname: 'cat /etc/hostname',
  addresses: 'ip addr',
  meminfo: 'cat /proc/meminfo',
  free: 'free -k',
  uptime: 'uptime',
  procUptime: 'cat /proc/uptime',
  processes: 'ps aux',
  self: 'ls -l /proc/self/exe',
  mounts: 'cat /proc/mounts',
  root: 'ls -a /',
  cpus: 'grep -c ^processor /proc/cpuinfo',
  nproc: 'nproc',
  arithmetic: 'echo $((19+23))',
  printf: 'printf "%05d\\n" 42',
  head: 'printf "1\\n2\\n3\\n4\\n" | head -2 | tail -1',
  nothing: 'no-such-command-here',
  false: 'false',
  id: 'id -u; whoami',
  neighbours: 'cat /proc/net/arp',
  release: 'cat /etc/os-release',
} as const

export type Answers = Record<keyof typeof questions, Ran>

/** How far two clocks asked one after the other may be apart, seconds. */
const apart = 90

/**
 * What was said inside a session, held against itself and against the persona. Pure. A question whose command is not
 * there on that kind of host is left out: an embedded system has few.
 */
export function judgeSession(answers: Answers, persona: Persona, decoy: Pick<DesiredDecoy, 'ip' | 'mac'>): Found[] {
  const text = (name: keyof Answers) => answers[name].out.trim()
  const missing = (name: keyof Answers) => answers[name].code === 127 || /not found/.test(answers[name].err)
  const results: Found[] = []
  const add = (...some: Found[]) => results.push(...some)
  const { kernel } = persona.os

  const wanted = `${kernel.name} ${kernel.release} ${kernel.machine}`
  add(holds('session.kernel', text('uname') === wanted, text('uname'), wanted, 'uname names another kernel'))
  add(
    holds(
      'session.proc-version',
      text('version').includes(kernel.release),
      text('version'),
      kernel.release,
      '/proc/version and uname name two kernels',
    ),
  )
  const names = [text('hostname'), ...(missing('hostname') ? [] : [text('etcHostname')])].map(
    (name) => name.split('.')[0],
  )
  add(
    holds(
      'session.hostname',
      names.every((name) => name === persona.hostname),
      names,
      persona.hostname,
      'it has more than one host name',
    ),
  )
  const shown = text('addresses')
  const so = shown.includes(`inet ${decoy.ip}/`) && shown.toLowerCase().includes(decoy.mac)
  add(
    missing('addresses')
      ? left('session.addresses')
      : holds(
          'session.addresses',
          so,
          shown.slice(0, 300),
          `${decoy.ip}, ${decoy.mac}`,
          '`ip addr` shows other addresses than the network does',
        ),
  )
  add(...memory(text('meminfo'), missing('free') ? undefined : text('free'), persona.hardware.memoryKb))
  add(uptime(text('uptime'), text('procUptime')))
  const processes = text('processes')
  const given = /\b(twistd|cowrie|marshlight)\b/i.test(processes)
  add(
    holds(
      'session.processes',
      !given && processes.split('\n').length > 5,
      processes.slice(0, 300),
      'the processes of such a host',
      given ? '`ps` gives the decoy away' : '`ps` shows next to nothing',
    ),
  )
  add(
    holds(
      'session.self',
      /->/.test(text('self')) && !/python|cowrie/i.test(text('self')),
      text('self') || answers.self.err,
      'the running program',
      '/proc/self/exe names no program of such a host',
    ),
  )
  const traces =
    /^(\.dockerenv|\.containerenv)$/m.test(text('root')) || /^overlay \/ overlay|docker/m.test(text('mounts'))
  add(
    holds(
      'session.container',
      !traces && text('root') !== '',
      `${text('root').replaceAll('\n', ' ').slice(0, 200)}`,
      'no trace of a container',
      'a trace of a container',
    ),
  )
  const counts = [Number(text('cpus')), ...(missing('nproc') ? [] : [Number(text('nproc'))])]
  add(
    holds(
      'session.cpus',
      counts.every((count) => count === persona.hardware.cores),
      counts,
      persona.hardware.cores,
      'nproc, /proc/cpuinfo and the machine do not agree',
    ),
  )
  add(holds('session.arithmetic', text('arithmetic') === '42', text('arithmetic'), '42', 'the shell cannot count'))
  add(holds('session.printf', text('printf') === '00042', text('printf'), '00042', 'printf does not know its formats'))
  add(holds('session.pipes', text('head') === '2', text('head'), '2', 'a pipe of three programs gives something else'))
  const codes = [answers.nothing.code, answers.false.code]
  add(holds('session.exit-status', codes.join() === '127,1', codes, '127 and 1', 'commands end with another status'))
  const [uid, who] = text('id').split('\n')
  const user = persona.users.find(({ name }) => name === who)
  add(
    holds(
      'session.id',
      user !== undefined && String(user.uid) === uid,
      text('id'),
      'a user of that host with its number',
      '`id` and `whoami` do not agree',
    ),
  )
  if (!missing('neighbours'))
    add(
      holds(
        'session.arp',
        /^IP address/.test(text('neighbours')),
        text('neighbours').slice(0, 200),
        'a table of neighbours',
        '/proc/net/arp is missing',
      ),
    )
  const pretty = /PRETTY_NAME="?([^"\n]*)/.exec(text('release'))?.[1]
  if (pretty !== undefined || persona.os.id === 'debian' || persona.os.id === 'ubuntu')
    add(
      holds(
        'session.release',
        pretty === persona.os.prettyName,
        pretty ?? text('release'),
        persona.os.prettyName,
        '/etc/os-release names another system',
      ),
    )
  return results
}

const left = (probe: string) => found(probe, 'unknown', '', '', 'that command is not there on such a host')

function memory(meminfo: string, free: string | undefined, expectedKb: number): Found[] {
  const total = Number(/^MemTotal:\s+(\d+)/m.exec(meminfo)?.[1])
  const shown = Number(/^Mem:\s+(\d+)/m.exec(free ?? '')?.[1])
  const near = (a: number, b: number) => Math.abs(a - b) <= 0.02 * b
  return [
    free === undefined
      ? left('session.free')
      : holds('session.free', near(shown, total), shown, total, '`free` and /proc/meminfo do not agree'),
    holds('session.memory', near(total, expectedKb), total, expectedKb, 'another memory than the machine has'),
  ]
}

/** `uptime`'s words as seconds, to the minute; undefined where they are none. */
export function secondsUp(words: string): number | undefined {
  const days = Number(/up\s+(\d+) day/.exec(words)?.[1] ?? 0)
  const clock = /up\s+(?:\d+ days?,\s+)?(\d+):(\d\d)/.exec(words)
  const minutes = /up\s+(?:\d+ days?,\s+)?(\d+) min/.exec(words)?.[1]
  if (!clock && minutes === undefined) return undefined
  return days * 86_400 + (clock ? Number(clock[1]) * 3600 + Number(clock[2]) * 60 : Number(minutes) * 60)
}

function uptime(words: string, proc: string): Found {
  const [said, counted] = [secondsUp(words), Number(proc.split(' ')[0] || Number.NaN)]
  const so = said !== undefined && Math.abs(said - counted) < apart
  return holds('session.uptime', so, words, proc, '`uptime` and /proc/uptime do not agree')
}
