import type { Random } from '../../shared/random.ts'
import type { PersonaProcess } from '../../shared/schemas/persona.ts'
import type { Role, Template, TemplateProcess } from './template.ts'

export type ProcessInput = {
  template: Template
  role: Role
  cores: number
  memoryKb: number
  /** Milliseconds since 1970. */
  bootedAt: number
  now: number
  telnet: boolean
  fill(text: string): string
}

const dayMs = 86_400_000
/** Threads that exist once a core are told for so many; `ps` of a large machine would fill the list. */
const coresShown = 8

/** What `ps aux` shows: init, kernel threads, services in the order a boot starts them, then what the role adds. */
export function buildProcesses(input: ProcessInput, random: Random): PersonaProcess[] {
  const { template, role, cores } = input
  const perCpu = Array.from({ length: Math.min(cores, coresShown) }, (_, cpu) =>
    template.threads.perCpu.map((name) => thread(`[${name.replace('{cpu}', String(cpu))}]`)),
  ).flat()
  const threads = [...template.threads.before, ...perCpu, ...template.threads.after]
  const services = [
    ...template.processes,
    ...(template.sshProcess ? [template.sshProcess] : []),
    ...(input.telnet && template.telnet ? [template.telnet.process] : []),
    ...role.processes,
  ]
  const rows = [row(template.init, firstPid(template), input, random)]
  let pid = firstPid(template)
  for (const one of threads) {
    pid += 1 + (random() < 0.15 ? 1 : 0)
    rows.push(row(one, pid, input, random))
  }
  pid += 60 + Math.floor(random() * 120)
  for (const one of services) {
    rows.push(row(one, pid, input, random))
    pid += 1 + Math.floor(random() * 24)
  }
  return rows
}

/** `System` of Windows has 4, init of Unix 1. */
export const firstPid = ({ platform }: Template): number => (platform === 'windows' ? 4 : 1)

/** One row for a process that started at boot. */
export function row(one: TemplateProcess, pid: number, input: ProcessInput, random: Random): PersonaProcess {
  const { template, memoryKb, bootedAt, now, fill } = input
  const rss = Math.round(one.rss * (0.92 + random() * 0.16))
  const vsz = Math.max(rss, Math.round(one.vsz * (0.99 + random() * 0.02)))
  const upMinutes = Math.max(1, (now - bootedAt) / 60_000)
  const minutes = one.minutesPerDay * (upMinutes / 1440) * (0.7 + random() * 0.6)
  return {
    user: template.platform === 'windows' ? one.user : shownUser(one.user),
    pid,
    cpu: tenth(Math.min(100, (minutes / upMinutes) * 100)),
    mem: tenth((rss / memoryKb) * 100),
    vsz,
    rss,
    tty: one.stat.endsWith('+') ? 'tty1' : '?',
    stat: one.stat,
    start: startLabel(bootedAt, now),
    time: `${Math.floor(minutes)}:${String(Math.floor((minutes % 1) * 60)).padStart(2, '0')}`,
    command: fill(one.command).slice(0, 256),
  }
}

/** `ps` shows seven characters and a plus of a user name longer than eight. */
export const shownUser = (name: string): string => (name.length <= 8 ? name : `${name.slice(0, 7)}+`)

/** START as procps prints it: time within the day, else day of the year, else year. */
export function startLabel(at: number, now: number): string {
  const [start, today] = [new Date(at), new Date(now)]
  if (start.getUTCFullYear() !== today.getUTCFullYear()) return String(start.getUTCFullYear())
  if (now - at < dayMs && start.getUTCDate() === today.getUTCDate()) return start.toISOString().slice(11, 16)
  return `${months[start.getUTCMonth()]}${String(start.getUTCDate()).padStart(2, '0')}`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const tenth = (value: number) => Math.round(value * 10) / 10
const thread = (command: string): TemplateProcess => ({
  user: 'root',
  command,
  rss: 0,
  vsz: 0,
  stat: 'S',
  minutesPerDay: 0.004,
})
