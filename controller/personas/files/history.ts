import { pick, type Random } from '../../../shared/random.ts'
import type { PersonaUser } from '../../../shared/schemas/persona.ts'
import { type Maker, root, type Sheet, someHost, write } from './context.ts'

const noLogin = /(nologin|false|sync)$/

/** The beginning of each shell history: what was typed when the machine was set up, and the usual since. */
export const history: Maker = (sheet) => {
  const { input, random } = sheet
  for (const user of [root(sheet), ...input.people]) {
    if (noLogin.test(user.shell)) continue
    const name = /bash$/.test(user.shell) ? '.bash_history' : '.ash_history'
    const lines = user.uid === 0 ? asRoot(sheet) : asPerson(sheet, user)
    const count = 12 + Math.floor(random() * 25)
    const typed = Array.from({ length: count }, () => pick(random, lines))
    write(sheet, `${user.home === '/' ? '' : user.home}/${name}`, user, 0o600, `${withoutDoubles(typed).join('\n')}\n`)
  }
}

const withoutDoubles = (lines: readonly string[]) => lines.filter((line, i) => line !== lines[i - 1])

function asRoot(sheet: Sheet): string[] {
  const { input, random } = sheet
  const { template, role } = input
  const installs = /rocky|alma/.test(template.os.id) ? 'dnf -y update' : 'apt update && apt -y upgrade'
  const common = [
    'ls -la',
    'df -h',
    'free -m',
    'uptime',
    'ip a',
    'ps aux | less',
    'cat /etc/passwd',
    'w',
    'exit',
    'history | tail',
  ]
  if (!template.people || template.os.id === 'dsm')
    return [...common, 'logread | tail', 'top', 'cat /proc/cpuinfo', 'ping -c 3 8.8.8.8']
  return [
    ...common,
    installs,
    'systemctl status',
    'journalctl -xe',
    'vi /etc/hosts',
    'crontab -l',
    `ssh ${pick(random, input.people).name}@${someHost(sheet)}`,
    'systemctl restart sshd',
    ...ofRole(role.id, random),
    ...(input.services.some(({ kind }) => kind === 'http') ? ['curl -I http://localhost/'] : []),
  ]
}

function ofRole(role: string, random: Random): string[] {
  const known: Record<string, string[]> = {
    postgresql: [
      'sudo -u postgres psql',
      'systemctl status postgresql',
      `sudo -u postgres pg_dump app > /root/app-${1 + Math.floor(random() * 9)}.sql`,
    ],
    mariadb: ['mysql -u root -p', 'systemctl restart mariadb', 'mysqldump --all-databases | gzip > /root/all.sql.gz'],
    redis: ['redis-cli ping', 'redis-cli info memory'],
    nginx: ['nginx -t', 'systemctl reload nginx', 'tail -f /var/log/nginx/access.log'],
    apache: ['apachectl configtest', 'apachectl graceful'],
    samba: ['testparm -s', 'smbstatus', 'pdbedit -L'],
    containers: ['docker ps', 'docker compose up -d', 'docker logs --tail 50 app', 'docker system df'],
    'build-runner': ['gitlab-runner list', 'gitlab-runner verify'],
  }
  return known[role] ?? []
}

function asPerson(sheet: Sheet, user: PersonaUser): string[] {
  return [
    ...['ls', 'll', 'cd', 'cd ..', 'pwd', 'sudo -i', 'exit', 'df -h', 'htop', 'cat notes.txt', 'ls -la', 'clear'],
    `ssh ${user.name}@${someHost(sheet)}`,
    `scp ${user.name}@${someHost(sheet)}:/tmp/out.csv .`,
    `cd ${sheet.input.words.folder}`,
    `grep -i error /var/log/syslog | tail`,
  ]
}
