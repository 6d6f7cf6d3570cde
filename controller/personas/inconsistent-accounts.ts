import type { Persona } from '../../shared/schemas/persona.ts'
import { firstPid, shownUser, startLabel } from './build-processes.ts'
import { homeOf, isPerson } from './people.ts'
import type { Template } from './template.ts'

/** A log-in ends at once with one of these. */
export const noShell = /(nologin|false|sync|shutdown|halt)$/

/** Windows runs its services as these, which are no accounts of the machine. */
const ownOfWindows = ['SYSTEM', 'LOCAL SERVICE', 'NETWORK SERVICE']

export function accounts({ users }: Persona, template: Template): string[] {
  const found: string[] = []
  const [names, uids] = [users.map(({ name }) => name), users.map(({ uid }) => uid)]
  if (new Set(names).size !== names.length) found.push('two users of one name')
  if (new Set(uids).size !== uids.length) found.push('two users of one uid')
  const [first, number] = template.platform === 'windows' ? ['Administrator', 500] : ['root', 0]
  if (users[0]?.name !== first || users[0].uid !== number) found.push(`the first user is not ${first}`)
  for (const { name, uid } of template.users)
    if (uid !== null && users.find((user) => user.name === name)?.uid !== uid) found.push(`${name} has not uid ${uid}`)
  for (const { name, uid, home, shell, passwords } of users) {
    const isSystem = !isPerson(template, { name })
    const lowest = template.people?.firstUid ?? Number.POSITIVE_INFINITY
    if (!isSystem && (uid < lowest || uid > 59_999)) found.push(`${name} is a person with uid ${uid}`)
    if (isSystem && uid >= 1000 && uid !== 65_534) found.push(`${name} is a system user with uid ${uid}`)
    if (!isSystem && home !== homeOf(template, name)) found.push(`${name} lives in ${home}`)
    if (passwords.length > 0 && noShell.test(shell)) found.push(`${name} can log in but has no shell`)
  }
  if (template.closed === users.some(({ passwords }) => passwords.length > 0))
    found.push(template.closed ? 'somebody can log in' : 'nobody can log in')
  return found
}

export function processes(
  { processes: rows, users, hardware, bootedAt }: Persona,
  template: Template,
  now: number,
): string[] {
  const found: string[] = []
  const isWindows = template.platform === 'windows'
  const shown = new Set(
    isWindows ? [...users.map(({ name }) => name), ...ownOfWindows] : users.map(({ name }) => shownUser(name)),
  )
  const pids = rows.map(({ pid }) => pid)
  if (pids[0] !== firstPid(template)) found.push('the first process is not init')
  if (pids.some((pid, i) => i > 0 && pid <= (pids[i - 1] ?? 0))) found.push('process ids do not rise')
  for (const { user, command } of rows) if (!shown.has(user)) found.push(`${command} runs as ${user}, who is no user`)
  const used = rows.reduce((sum, { rss }) => sum + rss, 0)
  if (used > hardware.memoryKb * 0.9) found.push(`processes take ${used} kB of ${hardware.memoryKb}`)
  const share = rows.find(({ mem, rss }) => Math.abs(mem - (rss / hardware.memoryKb) * 100) > 0.06)
  if (share) found.push(`${share.command} takes ${share.rss} kB, which is not ${share.mem} %`)
  const start = startLabel(Date.parse(bootedAt), now)
  if (rows[0]?.start !== start) found.push(`init started ${rows[0]?.start}, the machine ${start}`)
  return found
}
