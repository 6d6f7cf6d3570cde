import { pick } from '../../../shared/random.ts'
import { hex, honeyIn, type Maker, root, type Sheet, write } from './context.ts'

/** Configuration of what the role runs, each with a log-in that works nowhere but tells who read it. */
export const application: Maker = (sheet) => {
  const make = byRole[sheet.input.role.id] ?? plain
  make(sheet)
}

const byRole: Record<string, Maker> = {
  nginx: (sheet) => {
    const { site, folder } = siteOf(sheet)
    const owner = root(sheet)
    const red = sheet.input.template.packages?.startsWith('el')
    write(
      sheet,
      red ? `/etc/nginx/conf.d/${site}.conf` : `/etc/nginx/sites-available/${site}`,
      owner,
      0o644,
      `server {\n    listen 80;\n    server_name ${site}.${sheet.input.domain};\n    root ${folder}/public;\n    index index.html index.php;\n\n    location / {\n        try_files $uri $uri/ /index.php?$query_string;\n    }\n}\n`,
    )
    environment(sheet, folder)
  },
  apache: (sheet) => {
    const { folder } = siteOf(sheet)
    const path = `${folder}/wp-config.php`
    const user = `wp_${hex(sheet.random, 4)}`
    const password = honeyIn(sheet, 'mysql', user, path)
    const keys = ['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY']
    write(
      sheet,
      path,
      webUser(sheet),
      0o640,
      `<?php\ndefine('DB_NAME', 'wordpress');\ndefine('DB_USER', '${user}');\ndefine('DB_PASSWORD', '${password}');\ndefine('DB_HOST', '${databaseHost(sheet)}');\ndefine('DB_CHARSET', 'utf8mb4');\n\n${keys.map((name) => `define('${name}', '${hex(sheet.random, 64)}');`).join('\n')}\n\n$table_prefix = 'wp_';\ndefine('WP_DEBUG', false);\nif (!defined('ABSPATH')) {\n    define('ABSPATH', __DIR__ . '/');\n}\nrequire_once ABSPATH . 'wp-settings.php';\n`,
    )
  },
  postgresql: (sheet) => {
    const path = '/root/.pgpass'
    const user = pick(sheet.random, ['app', 'erp', 'reporting'])
    const password = honeyIn(sheet, 'postgres', user, path)
    write(sheet, path, root(sheet), 0o600, `${databaseHost(sheet)}:5432:${user}:${user}:${password}\n`)
  },
  mariadb: (sheet) => {
    const path = '/root/.my.cnf'
    const password = honeyIn(sheet, 'mysql', 'admin', path)
    write(
      sheet,
      path,
      root(sheet),
      0o600,
      `[client]\nuser=admin\npassword=${password}\n\n[mysqldump]\nuser=admin\npassword=${password}\n`,
    )
  },
  redis: (sheet) => {
    const path = '/opt/worker/config.yml'
    const password = honeyIn(sheet, 'redis', 'default', path)
    write(
      sheet,
      path,
      root(sheet),
      0o640,
      `queue:\n  url: redis://default:${password}@127.0.0.1:6379/0\n  workers: 4\n  retry: 3\n`,
    )
  },
  samba: (sheet) => {
    const path = '/root/join.txt'
    const user = 'svc_fileserver'
    const password = honeyIn(sheet, 'smb', user, path)
    write(sheet, path, root(sheet), 0o600, `net ads join -U ${user}%${password}\n`)
    write(
      sheet,
      '/etc/samba/smb.conf',
      root(sheet),
      0o644,
      `[global]\n   workgroup = WORKGROUP\n   server string = %h server\n   log file = /var/log/samba/log.%m\n   max log size = 1000\n   server role = standalone server\n   map to guest = bad user\n\n[share]\n   path = /srv/share\n   read only = no\n   valid users = @users\n`,
    )
  },
  containers: (sheet) => {
    const folder = `/opt/${pick(sheet.random, ['app', 'stack', 'services'])}`
    environment(sheet, folder)
    write(
      sheet,
      `${folder}/docker-compose.yml`,
      root(sheet),
      0o644,
      `services:\n  app:\n    image: registry.${sheet.input.domain}/app:${1 + Math.floor(sheet.random() * 4)}.${Math.floor(sheet.random() * 20)}\n    restart: unless-stopped\n    env_file: .env\n    ports:\n      - "127.0.0.1:8080:8080"\n  db:\n    image: postgres:15\n    restart: unless-stopped\n    env_file: .env\n    volumes:\n      - ./data:/var/lib/postgresql/data\n`,
    )
  },
  'build-runner': (sheet) => {
    const path = '/home/gitlab-runner/.netrc'
    const owner = sheet.input.users.find(({ name }) => name === 'gitlab-runner') ?? root(sheet)
    const password = honeyIn(sheet, 'git', 'ci-bot', path)
    write(sheet, path, owner, 0o600, `machine git.${sheet.input.domain}\nlogin ci-bot\npassword ${password}\n`)
  },
}

const plain: Maker = (sheet) => {
  const path = '/root/notes.txt'
  const user = pick(sheet.random, ['admin', 'monitor', 'svc_scan'])
  const password = honeyIn(sheet, 'ssh', user, path)
  write(
    sheet,
    path,
    root(sheet),
    0o600,
    `monitoring: ${user}@monitor.${sheet.input.domain}\n  pw ${password}\nups on port 2 of the console server\n`,
  )
}

function environment(sheet: Sheet, folder: string): void {
  const path = `${folder}/.env`
  const user = pick(sheet.random, ['app', 'shop', 'portal', 'crm'])
  const password = honeyIn(sheet, 'postgres', user, path)
  write(
    sheet,
    path,
    webUser(sheet),
    0o640,
    `APP_ENV=production\nAPP_KEY=base64:${Buffer.from(hex(sheet.random, 32)).toString('base64')}\nDB_HOST=${databaseHost(sheet)}\nDB_PORT=5432\nDB_DATABASE=${user}\nDB_USERNAME=${user}\nDB_PASSWORD=${password}\nMAIL_HOST=mail.${sheet.input.domain}\n`,
  )
}

function siteOf({ random }: Sheet): { site: string; folder: string } {
  const site = pick(random, ['intranet', 'portal', 'shop', 'crm', 'wiki'])
  return { site, folder: `/var/www/${site}` }
}

const webUser = (sheet: Sheet) =>
  sheet.input.users.find(({ name }) => name === 'www-data' || name === 'nginx' || name === 'apache') ?? root(sheet)

const databaseHost = ({ input, random }: Sheet) => pick(random, ['127.0.0.1', 'localhost', `db.${input.domain}`])
