import { type Persona, persona } from '../../../shared/schemas/persona.ts'
import { personaOf } from '../../lab/cowrie-persona.ts'

/** The lab's Debian server with every optional field of a persona. */
export const richPersona = (): Persona => {
  const plain = personaOf('db01', 3)
  return persona.parse({
    ...plain,
    users: plain.users.map((user) => (user.name === 'root' ? { ...user, acceptFromTry: 3 } : user)),
    locale: 'de_DE.UTF-8',
    services: [
      {
        kind: 'http',
        port: 80,
        product: 'nginx',
        version: '1.22.1',
        settings: { title: 'Intranet', workers: 2, listing: false },
        pages: [{ path: '/', status: 200, type: 'text/html', body: '<h1>Intranet</h1>' }],
      },
    ],
    network: {
      stack: 'linux',
      window: 64240,
      mss: 1460,
      windowScale: 7,
      sack: true,
      timestamps: true,
      ecn: false,
      icmpEcho: true,
      closedTcp: 'reset',
      closedUdp: 'unreachable',
    },
    schedule: {
      workDays: [1, 2, 3, 4, 5],
      workFrom: 8,
      workTo: 17.5,
      cron: [
        {
          user: 'root',
          at: '17 * * * *',
          command: 'cd / && run-parts --report /etc/cron.hourly',
          file: '/etc/crontab',
        },
        {
          user: 'backup',
          at: '30 2 * * *',
          command: '/usr/local/bin/backup.sh',
          file: '/var/spool/cron/crontabs/backup',
        },
      ],
      logins: [{ user: 'jmeier', perDay: 2, from: '198.18.7.20' }],
      updateEveryDays: 6,
      rebootEveryDays: 40,
    },
    packages: [
      { name: 'openssh-server', version: '1:9.2p1-2+deb12u3', arch: 'amd64', summary: 'secure shell (SSH) server' },
      { name: 'postgresql-15', version: '15.10-0+deb12u1', arch: 'amd64', summary: 'relational SQL database' },
    ],
    files: [
      {
        path: '/srv/backup/credentials.txt',
        mode: 0o600,
        uid: 1001,
        gid: 1001,
        modifiedAt: '2026-01-12T09:30:00Z',
        content: 'mysql backup Winter-8841\n',
      },
      {
        path: '/etc/motd',
        mode: 0o644,
        uid: 0,
        gid: 0,
        modifiedAt: '2026-01-02T08:00:00Z',
        content: 'Grüße aus db01\n',
      },
    ],
    honey: [{ username: 'backup', password: 'Winter-8841', service: 'mysql', path: '/srv/backup/credentials.txt' }],
  })
}
