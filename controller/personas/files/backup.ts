import { pick } from '../../../shared/random.ts'
import { nightly } from '../build-schedule.ts'
import { honeyIn, type Maker, root, someHost, write } from './context.ts'

/** A nightly backup: script, its line of cron, the file with the log-in to the place it copies to. */
export const backup: Maker = (sheet) => {
  const { input, random } = sheet
  const owner = root(sheet)
  const script = pick(random, ['/usr/local/bin/backup.sh', '/usr/local/sbin/nightly-backup', '/root/bin/backup.sh'])
  const secret = pick(random, ['/root/.backup-credentials', '/etc/backup.conf', '/root/.smbcredentials'])
  const host = someHost(sheet)
  const username = pick(random, ['backup', 'svc_backup', `backup-${input.hostname.toLowerCase()}`])
  const password = honeyIn(sheet, 'smb', username, secret)
  const sources = [`/etc /home`, ...sourcesOf(input.role.id)].join(' ')
  write(sheet, secret, owner, 0o600, `username=${username}\npassword=${password}\ndomain=WORKGROUP\n`)
  write(
    sheet,
    script,
    owner,
    0o750,
    `#!/bin/sh\n# copies to //${host}/backup, keeps ${7 + Math.floor(random() * 21)} days\nset -e\nDIR=/var/backups/${input.hostname}\nSTAMP=$(date +%F)\nmkdir -p $DIR\ntar czf $DIR/files-$STAMP.tar.gz ${sources}\nmount -t cifs -o credentials=${secret} //${host}/backup /mnt\ncp $DIR/files-$STAMP.tar.gz /mnt/\numount /mnt\nfind $DIR -name '*.tar.gz' -mtime +14 -delete\n`,
  )
  sheet.cron.push({
    user: 'root',
    at: nightly(random),
    command: `${script} >/dev/null 2>&1`,
    file: '/etc/cron.d/backup',
  })
}

const sourcesOf = (role: string): string[] =>
  role === 'nginx' || role === 'apache'
    ? ['/var/www']
    : role === 'containers'
      ? ['/opt']
      : role === 'samba'
        ? ['/srv']
        : []
