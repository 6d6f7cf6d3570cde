import { execFile, execFileSync } from 'node:child_process'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ownArchitecture } from '../../../provisioning/deb/architectures.ts'

const run = promisify(execFile)
const script = join(import.meta.dirname, '../../../provisioning/install.sh')
const install = (...args: string[]) => run('sh', [script, '--dry-run', ...args])

function makeDeb(folder: string, name: string, architecture: string): string {
  const control = `Package: ${name}\nVersion: 1\nArchitecture: ${architecture}\nMaintainer: x <x@y.example>\nDescription: x\n`
  const file = join(folder, `${name}-${architecture}.deb`)
  const steps =
    'mkdir -p "$1/p/DEBIAN" && printf %s "$2" > "$1/p/DEBIAN/control" && dpkg-deb -Znone --build "$1/p" "$3"'
  execFileSync('sh', ['-c', steps, 'sh', folder, control, file], { stdio: 'ignore' })
  return file
}

t.test('what does not fit this machine is told before anything is done', async (t) => {
  const folder = t.testdir({ images: { 'decoys.tar': 'x' }, token: '' })
  const ours = ownArchitecture()
  const theirs = ours === 'amd64' ? 'arm64' : 'amd64'
  const good = makeDeb(folder, 'marshlight-agent', ours)
  const refused = (code: number, why: RegExp, ...args: string[]) =>
    t.rejects(install(...args), { code, stderr: why, stdout: /^(install: without .*\n)?$/ })

  await refused(2, /--deb is missing/)
  await refused(2, /unknown option --dep/, '--dep', good)
  await refused(2, /--deb needs a value/, '--deb')
  await refused(1, /is not here/, '--deb', join(folder, 'none.deb'))
  await refused(
    1,
    new RegExp(`is for ${theirs}, this machine is ${ours}`),
    '--deb',
    makeDeb(folder, 'marshlight-agent', theirs),
  )
  await refused(1, /not marshlight-agent/, '--deb', makeDeb(folder, 'nmap', ours))
  await refused(1, /decoys\.list is not here/, '--deb', good, '--images', join(folder, 'images'))
  await refused(1, /or empty/, '--deb', good, '--token-file', join(folder, 'token'))

  const { stdout } = await install('--deb', good)
  t.match(stdout, /would run: apt-get install .*marshlight-agent/)
  t.notMatch(stdout, /unattended-upgrades/, 'only where it is asked for')
  t.match(
    (await install('--deb', good, '--security-updates')).stdout,
    /apt-get install .*unattended-upgrades\nwould run: install .*52marshlight-security-updates/,
  )
  truncateSync(good, 70)
  await refused(1, /no Debian package, or not all of it/, '--deb', good)
})

t.test('apt reads the settings of security updates as they are meant', async (t) => {
  const settings = join(import.meta.dirname, '../../../provisioning/deb/files/security-updates.conf')
  const { stdout } = await run('apt-config', ['dump', '-c', settings, '--no-empty'])
  for (const line of [
    'APT::Periodic::Update-Package-Lists "1";',
    'APT::Periodic::Unattended-Upgrade "1";',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: unattended-upgrades fills it in
    'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";',
  ])
    t.ok(stdout.split('\n').includes(line), line)
})
