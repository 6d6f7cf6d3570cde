import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
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

t.test(
  'what seals the key by a TPM is there before the box enrols; apt is asked anew where its lists are too old',
  async (t) => {
    const folder = t.testdir({ tpmrm0: '', token: 'x', bin: {} })
    const good = makeDeb(folder, 'marshlight-agent', ownArchitecture())
    const own = readFileSync(script, 'utf8').replaceAll('/var/lib/marshlight-agent', join(folder, 'state'))
    const told = async (tpm: string) => {
      writeFileSync(join(folder, 'install.sh'), own.replaceAll('/dev/tpmrm0', tpm))
      const words = ['--dry-run', '--deb', good, '--token-file', join(folder, 'token')]
      return (await run('sh', [join(folder, 'install.sh'), ...words])).stdout
    }
    t.match(await told(join(folder, 'tpmrm0')), /would run: apt-get install .*tpm2-tools\n[\s\S]*would run: .* enrol /)
    t.notMatch(await told(join(folder, 'none')), /tpm2-tools/)

    writeFileSync(
      join(folder, 'bin/apt-get'),
      `#!/bin/sh\necho "$*" >> ${folder}/asked\n[ "$1" = install ] && [ ! -e ${folder}/new ] && exit 100\n: > ${folder}/new\n`,
      { mode: 0o755 },
    )
    const get = /^get\(\)[\s\S]*?^\}$/m.exec(own)?.[0]
    const env = { PATH: `${folder}/bin:${process.env.PATH}` }
    await run('sh', ['-c', `run() { "$@"; }\n${get}\nget unattended-upgrades`], { env })
    const asked = readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n')
    t.match(asked, [/^install .* unattended-upgrades$/, /^update$/, /^install .* unattended-upgrades$/])
  },
)

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
