import type { Persona } from '../../shared/schemas/persona.ts'

/** A database server as Debian 12 sets it up; `hostname` and `version` are what the tests change. */
export const personaOf = (hostname: string, version: number): Persona => ({
  id: '01920000-0000-7000-8000-000000000001',
  version,
  seed: 'lab-persona-seed',
  family: 'debian-server',
  hostname,
  domain: 'corp.lan',
  os: {
    id: 'debian',
    name: 'Debian GNU/Linux',
    version: '12 (bookworm)',
    prettyName: 'Debian GNU/Linux 12 (bookworm)',
    kernel: {
      name: 'Linux',
      release: '6.1.0-28-amd64',
      build: '#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)',
      machine: 'x86_64',
      operatingSystem: 'GNU/Linux',
    },
  },
  hardware: { vendor: 'Dell Inc.', cpuModel: 'Intel(R) Core(TM) i5-8500', cpuMhz: 3000, cores: 6, memoryKb: 8146432 },
  mac: { oui: 'd4:ae:52', vendor: 'Dell Inc.' },
  timezone: 'Europe/Berlin',
  bootedAt: '2026-01-30T04:12:00Z',
  ssh: {
    banner: 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3',
    kex: ['curve25519-sha256@libssh.org', 'diffie-hellman-group16-sha512', 'ecdh-sha2-nistp256', 'curve25519-sha256'],
    hostKeys: ['ecdsa-sha2-nistp256', 'rsa-sha2-512', 'ssh-ed25519'],
    ciphers: ['aes256-ctr', 'aes128-ctr'],
    macs: ['hmac-sha2-512', 'hmac-sha1'],
    compression: ['none', 'zlib@openssh.com'],
    maxAuthTries: 3,
  },
  telnet: { banner: 'Debian GNU/Linux 12\n', loginPrompt: `${hostname} login: `, passwordPrompt: 'Password: ' },
  issue: '',
  motd: `Welcome to ${hostname}\n`,
  users: [
    user('root', 0, '/root', ['toor!23']),
    user('jmeier', 1000, '/home/jmeier', ['Sommer2024']),
    user('backup', 1001, '/home/backup', []),
  ],
  processes: [
    process('root', 1, '/sbin/init'),
    process('root', 640, 'sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups'),
    process('postgres', 812, '/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main'),
  ],
  ttl: 64,
  reasons: [],
})

const user = (name: string, uid: number, home: string, passwords: string[]) => ({
  name,
  uid,
  gid: uid,
  gecos: name,
  home,
  shell: '/bin/bash',
  passwords,
})

const process = (user: string, pid: number, command: string) => ({
  user,
  pid,
  cpu: 0,
  mem: 0.1,
  vsz: 16000,
  rss: 9000,
  tty: '?',
  stat: 'Ss',
  start: 'Jan30',
  time: '0:01',
  command,
})
