import { pick, pickWeighted, type Random } from '../../shared/random.ts'
import type { Persona, PersonaProcess } from '../../shared/schemas/persona.ts'
import { shownUser } from './build-processes.ts'
import { personOf } from './build-users.ts'
import { type Catalogue, templateOf } from './catalogue.ts'
import type { Template } from './template.ts'

export type Variation = 'motd' | 'issue' | 'process' | 'user' | 'password'
export type NextVersion = { persona: Persona; variation: Variation; what: string }

const notices = [
  'System maintenance window: Sunday 02:00-04:00 UTC.',
  'Backups run nightly at 01:30 UTC. Do not reboot.',
  'Migration in progress - contact operations before making changes.',
  'Disk usage on / is above 80 %.',
]
const warnings = [
  'Authorized access only. All activity is monitored.\n',
  'This system is for the use of authorized users only.\n',
]

/**
 * The next version of a persona: one thing changed that a living machine changes too and that a running decoy can
 * change without a restart, with the reason `because`. What an open session has seen stays true: host name, kernel, MAC,
 * SSH version and users already there do not change.
 */
export function nextVersion(
  persona: Persona,
  because: string,
  { catalogue, random, now }: { catalogue: Catalogue; random: Random; now: number },
): NextVersion {
  const template = templateOf(catalogue, persona.family)
  if (!template) throw new Error(`there is no template ${persona.family}`)
  const options: (readonly [Variation, number])[] = [
    ['motd', persona.motd.length < 3500 ? 2 : 0],
    ['issue', persona.issue === '' ? 1 : 0],
    ['process', template.people && persona.processes.length < 240 ? 3 : 0],
    ['user', template.people && !template.closed && persona.users.length < 60 ? 3 : 0],
    ['password', template.closed ? 0 : 3],
  ]
  const variation = pickWeighted(
    random,
    options.filter(([, weight]) => weight > 0),
  )
  const { changed, what } = vary(variation, persona, template, catalogue, random)
  const reason = `version ${persona.version + 1}, ${new Date(now).toISOString().slice(0, 16)}Z: ${what}, since ${because}`
  return {
    variation,
    what,
    persona: {
      ...changed,
      version: persona.version + 1,
      reasons: [...changed.reasons, { field: fieldOf[variation], because: reason.slice(0, 512) }].slice(-64),
    },
  }
}

const fieldOf = { motd: 'motd', issue: 'issue', process: 'processes', user: 'users', password: 'users' } as const

function vary(
  variation: Variation,
  persona: Persona,
  template: Template,
  catalogue: Catalogue,
  random: Random,
): { changed: Persona; what: string } {
  switch (variation) {
    case 'motd': {
      const notice = pick(random, notices)
      const had = notices.some((one) => persona.motd.includes(one))
      const motd = had
        ? notices.reduce((text, one) => text.replace(`\n${one}\n`, ''), persona.motd)
        : `${persona.motd}\n${notice}\n`
      return {
        changed: { ...persona, motd },
        what: had ? 'an old notice left the message of the day' : `a notice after log-in: ${notice}`,
      }
    }
    case 'issue':
      return { changed: { ...persona, issue: pick(random, warnings) }, what: 'a warning before log-in' }
    case 'process': {
      const { process, what } = workOf(persona, template, random)
      return { changed: { ...persona, processes: [...persona.processes, process] }, what }
    }
    case 'user': {
      const names = catalogue.accounts.people.filter((name) => !persona.users.some((user) => user.name === name))
      const people = persona.users.filter(({ uid }) => uid >= 1000 && uid < 60_000).map(({ uid }) => uid)
      if (names.length === 0) return anotherPassword(persona, catalogue, random)
      const uid = Math.max((template.people?.firstUid ?? 1000) - 1, ...people) + 1
      const user = personOf(template, pick(random, names), uid)
      user.passwords.push(pick(random, catalogue.accounts.weakPasswords))
      return { changed: { ...persona, users: [...persona.users, user] }, what: `a new user ${user.name}` }
    }
    case 'password':
      return anotherPassword(persona, catalogue, random)
  }
}

/** An account that is open gets one more weak password; those that opened it before still do. */
function anotherPassword(
  persona: Persona,
  { accounts }: Catalogue,
  random: Random,
): { changed: Persona; what: string } {
  const open = persona.users.filter(({ passwords }) => passwords.length > 0 && passwords.length < 30)
  const user = open.length > 0 ? pick(random, open) : persona.users[0]
  if (!user) throw new Error('a persona without users')
  const options = [...accounts.weakPasswords, ...accounts.rootPasswords].filter((one) => !user.passwords.includes(one))
  const password = options.length > 0 ? pick(random, options) : `${user.name}${persona.version}`
  const users = persona.users.map((one) =>
    one.name === user.name ? { ...one, passwords: [...one.passwords, password] } : one,
  )
  return { changed: { ...persona, users }, what: `another password opens ${user.name}` }
}

const work: [string, number][] = [
  ['tar czf /var/backups/home.tar.gz /home', 3400],
  ['rsync -a --delete /srv/data/ /mnt/backup/data/', 5200],
  ['vim /etc/hosts', 9700],
  ['tail -f /var/log/syslog', 1700],
  ['top', 4100],
]
const windowsWork: [string, number][] = [
  ['robocopy D:\\data \\\\backup\\data /MIR', 9400],
  ['notepad.exe', 14_200],
  ['mmc.exe eventvwr.msc', 61_000],
]

/** A job that someone left running: a copy, an archive, an editor. */
function workOf(persona: Persona, template: Template, random: Random): { process: PersonaProcess; what: string } {
  const people = persona.users.filter(({ uid }) => uid >= 1000 && uid < 60_000)
  const user = people.length > 0 ? pick(random, people).name : (persona.users[0]?.name ?? 'root')
  const isWindows = template.platform === 'windows'
  const [command, base] = pick(random, isWindows ? windowsWork : work)
  const rss = Math.round(base * (0.9 + random() * 0.2))
  const last = Math.max(...persona.processes.map(({ pid }) => pid))
  return {
    process: {
      user: isWindows ? user : shownUser(user),
      pid: last + 200 + Math.floor(random() * 9000),
      cpu: 0,
      mem: Math.round((rss / persona.hardware.memoryKb) * 1000) / 10,
      vsz: rss * 3,
      rss,
      tty: isWindows ? '?' : 'pts/0',
      stat: isWindows ? 'S' : 'S+',
      start: persona.processes[0]?.start ?? '00:00',
      time: '0:00',
      command,
    },
    what: `${user} runs ${command}`,
  }
}
