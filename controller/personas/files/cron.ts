import type { PersonaFile, PersonaSchedule } from '../../../shared/schemas/persona.ts'

/** The crontabs as they stand on disk, made of the schedule's own lines, so that both always say the same. */
export function crontabs(cron: PersonaSchedule['cron'], at: string): PersonaFile[] {
  return [...Map.groupBy(cron, ({ file }) => file)].map(([path, lines]) => ({
    path,
    mode: path.includes('/spool/') ? 0o600 : 0o644,
    uid: 0,
    gid: 0,
    modifiedAt: at,
    content: textOf(path, lines),
  }))
}

/** Crontabs of users name no user; those of the system do, and set shell and path. */
function textOf(path: string, lines: PersonaSchedule['cron']): string {
  if (path.includes('/spool/') || path.includes('/crontabs/'))
    return lines.map(({ at, command }) => `${at} ${command}\n`).join('')
  const head = 'SHELL=/bin/sh\nPATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin\n\n'
  return `${head}${lines.map(({ user, at, command }) => `${at}\t${user}\t${command}\n`).join('')}`
}
