import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { settingsOf } from '../../../provisioning/image/root.ts'
import { settings } from '../../../provisioning/image/rootfs.ts'

const folder = join(import.meta.dirname, '../../../provisioning/image/files')
const read = (name: string) => readFileSync(join(folder, name), 'utf8')

for (const architecture of ['amd64', 'arm64'] as const)
  t.test(`${architecture}: what an image promises stands in what it is made of`, async (t) => {
    const { laid, written, enabled, masked } = settingsOf(architecture)
    const at = (place: string) => {
      const file = laid.find(([, to]) => to === place)?.[0]
      return file === undefined ? (written[place] ?? '') : read(file)
    }
    const fstab = at('etc/fstab')
      .split('\n')
      .map((line) => line.split(' '))
    const mounted = (place: string) => fstab.find(([, to]) => to === place) ?? []

    const nobody = masked.filter((unit) => /^(getty|ssh)/.test(unit))
    t.same(nobody, ['getty@tty1.service', 'ssh.service', 'ssh.socket'], 'no log-in at the screen, no SSH of Debian’s')
    t.match(at('etc/systemd/system/emergency.service.d/50-no-shell.conf'), /^ExecStart=\nExecStart=.*no-way-on$/m)
    const debian = readFileSync(join(folder, '../rootfs.ts'), 'utf8')
    t.match(debian, /'--customize-hook=chroot "\$1" passwd -l root'/, 'root has no password')
    const sshd = at('etc/ssh/marshlight.conf')
    for (const line of ['PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'AllowTcpForwarding no'])
      t.match(sshd, `\n${line}\n`)
    t.match(sshd, /^PermitRootLogin prohibit-password$/m, 'SSH by key alone')
    t.match(at('usr/lib/systemd/system/marshlight-ssh.service'), /^ConditionPathExists=\/data\/ssh\/authorized_keys$/m)
    t.notOk(
      enabled.some((unit) => unit.includes('ssh')),
      'and only where the enrolment file wants it',
    )

    t.ok(enabled.includes('nftables'), 'the firewall is up at each start')
    t.match(at('etc/nftables.conf'), /hook input .*policy drop;/)
    const docker = JSON.parse(at('etc/docker/daemon.json'))
    t.match(docker, { bridge: 'none', iptables: false, 'ip-forward': false }, 'and the engine opens nothing')
    t.notOk('hosts' in docker)

    const manager = at('etc/systemd/system.conf.d/50-watchdog.conf')
    t.match(manager, /^RuntimeWatchdogSec=30s$/m, 'the machine’s watchdog')
    t.match(manager, /^RebootWatchdogSec=10min$/m)
    t.ok(enabled.includes('marshlight-trial'), 'a trial ends')

    t.match(at('etc/systemd/journald.conf.d/50-memory.conf'), /^Storage=volatile$/m, 'logs in memory')
    for (const place of ['/var/log', '/var/tmp', '/tmp', '/var/cache']) t.equal(mounted(place)[2], 'tmpfs', place)
    t.match(mounted('/data')[3], /noatime.*nosuid,nodev/)
    t.equal(docker['log-driver'], 'none')
    for (const timer of ['apt-daily', 'apt-daily-upgrade', 'dpkg-db-backup', 'fstrim', 'e2scrub_all'])
      t.ok(masked.includes(`${timer}.timer`), `${timer} does not write`)
    t.match(read('grub.cfg'), /words="ro rootfstype=squashfs/, 'the root cannot be written')

    for (const place of ['etc/systemd/network/80-wired.network', 'etc/systemd/resolved.conf.d/50-silent.conf'])
      for (const word of ['LLMNR=no', 'MulticastDNS=no']) t.match(at(place), `${word}\n`, 'it does not tell its name')

    const units = enabled.filter((name) => name.startsWith('marshlight-'))
    for (const name of units) t.ok(at(`usr/lib/systemd/system/${name}.service`), `${name} is there`)
    // Programs that a unit or another setting names, and the image has to hold.
    const named = [...laid.map(([name]) => read(name)), ...Object.values(written)].join('\n')
    for (const [, program] of named.matchAll(/\/usr\/lib\/marshlight\/([a-z-]+)/g))
      t.equal(laid.find(([, to]) => to === `usr/lib/marshlight/${program}`)?.[2], 0o755, `${program} can be run`)
  })

t.test('no file lies there that is laid nowhere', async (t) => {
  const laid = new Set(
    (['amd64', 'arm64'] as const).flatMap((one) => [
      ...settingsOf(one).laid.map(([name]) => name),
      ...Object.keys(settings[one].initramfs),
    ]),
  )
  // Of the boot partition, and the lists of packages.
  const elsewhere = /^(packages-.*\.txt|grub.*\.cfg|config\.txt)$/
  t.same(
    readdirSync(folder).filter((name) => !laid.has(name) && !elsewhere.test(name)),
    [],
  )
})
