import type { Persona } from '../../shared/schemas/persona.ts'
import { isOwn, mostBytes } from './build-files.ts'
import type { Catalogue } from './catalogue.ts'
import { isCronTime } from './cron-times.ts'
import { failing } from './failing.ts'
import { noShell } from './inconsistent-accounts.ts'
import { isPerson } from './people.ts'
import type { Template } from './template.ts'

const dayMs = 86_400_000

/** Schedule with users, crontabs on disk, uptime and log-ins. */
export function life(
  { schedule, users, files = [], bootedAt }: Persona,
  template: Template,
  { schedules }: Catalogue,
  now: number,
): string[] {
  if (!schedule) return ['it has no schedule']
  const found: string[] = []
  const upDays = (now - Date.parse(bootedAt)) / dayMs
  if (schedule.workFrom >= schedule.workTo) found.push(`work from ${schedule.workFrom} to ${schedule.workTo}`)
  if (schedule.rebootEveryDays > 0 && upDays > 2 * schedule.rebootEveryDays + 2)
    found.push(`up for ${Math.round(upDays)} days, restarted every ${schedule.rebootEveryDays}`)
  for (const { user, from } of schedule.logins) {
    const account = users.find(({ name }) => name === user)
    if (!account) found.push(`${user} logs in from ${from} but is no user`)
    else if (noShell.test(account.shell)) found.push(`${user} logs in but has no shell`)
    else if (!isPerson(template, account)) found.push(`${user} logs in but is no person`)
  }
  for (const { user, at, command, file } of schedule.cron) {
    if (!users.some(({ name }) => name === user)) found.push(`cron runs ${command} as ${user}, who is no user`)
    if (!isCronTime(at)) found.push(`cron runs ${command} at ${at}, which is no time`)
    const shipped = schedules[template.schedule]?.cron.some((one) => one.at === at && one.command === command)
    if (!isOwn(template)({ file }) && !shipped)
      found.push(`cron runs ${command}, which is not in the ${file} that its package brings`)
    const table = files.find(({ path }) => path === file)
    if (template.content.includes('cron') && isOwn(template)({ file }) && !table?.content.includes(command))
      found.push(`cron runs ${command}, which ${file} does not hold`)
    const [program = ''] = command.split(' ')
    if (/^\/(root|usr\/local)\//.test(program) && !files.some(({ path }) => path === program))
      found.push(`cron runs ${program}, which is not there`)
  }
  return found
}

/** Files with their owners, their dates and the system they lie on; honey-credentials with the file they stand in. */
export function filesAndHoney({ files = [], honey = [], users }: Persona, template: Template, now: number): string[] {
  const found: string[] = []
  const paths = files.map(({ path }) => path)
  const separator = template.platform === 'windows' ? '\\' : '/'
  const bytes = files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
  if (new Set(paths).size !== paths.length) found.push('two files of one path')
  if (bytes > mostBytes) found.push(`files of ${bytes} bytes`)
  for (const { path, uid, modifiedAt, content } of files) {
    const [home] = users
      .filter((user) => /^(\/home|C:\\Users)/.test(user.home) && path.startsWith(`${user.home}${separator}`))
      .sort((a, b) => b.home.length - a.home.length)
    found.push(
      ...failing(
        [!users.some((user) => user.uid === uid), `${path} is of uid ${uid}, who is no user`],
        [home !== undefined && home.uid !== uid, `${path} lies with ${home?.name} but is of uid ${uid}`],
        [Date.parse(modifiedAt) > now, `${path} was changed at ${modifiedAt}, in the future`],
        [path.startsWith('/') === (template.platform === 'windows'), `${path} is no path of ${template.label}`],
        [
          content.includes('undefined') || /\{(hostname|person|date)\}/.test(content),
          `${path} has an open placeholder`,
        ],
      ),
    )
  }
  const opening = new Set(users.flatMap(({ passwords }) => passwords))
  for (const { username, password, path } of honey) {
    const file = files.find((one) => one.path === path)
    found.push(
      ...failing(
        [!file, `the honey-credential of ${username} stands in ${path}, which is not there`],
        [file !== undefined && !file.content.includes(password), `${path} does not hold the password of ${username}`],
        [opening.has(password), `the honey-credential of ${username} opens an account`],
      ),
    )
  }
  return found
}
