import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { architectureOf, ownArchitecture } from '../../provisioning/deb/architectures.ts'
import { buildDeb } from '../../provisioning/deb/build.ts'
import { packageContents } from '../../provisioning/deb/contents.ts'
import { pack } from '../../provisioning/deb/pack.ts'
import { makeKeyFiles, signBeside } from '../../provisioning/image/signing-files.ts'

t.setTimeout(120_000)

const enabled = 'ls /etc/systemd/system/multi-user.target.wants | grep marshlight; true'
/** What a Debian tells, step by step, of the package's coming and going; each step's end is marked. */
const steps = {
  installs: 'sh /out/install.sh --deb /out/$DEB --pubkey /out/key.pub > /tmp/said 2>&1 || cat /tmp/said',
  installed: // Documentation is left out of this Debian by its own settings.
    'dpkg --verify marshlight-agent | grep -v "^missing .*/usr/share/\\(doc\\|lintian\\)/"; dpkg --status marshlight-agent | sed -n "s/^Status: //p"',
  runs: 'marshlight-agent --version',
  looks: 'marshlight-agent doctor --json; true',
  starts: enabled,
  trusts: 'ls /usr/share/marshlight/release-keys',
  state: 'stat -c "%a %U %F" /var/lib/marshlight-agent; echo kept > /var/lib/marshlight-agent/spool',
  // What `systemctl disable` does.
  upgrades: `rm /etc/systemd/system/multi-user.target.wants/marshlight-agent.service
    apt-get -qq install -y /out/newer.deb > /dev/null 2>&1 < /dev/null
    dpkg --status marshlight-agent | sed -n 's/^Version: //p'; ${enabled}`,
  removed:
    'dpkg -r marshlight-agent >/dev/null && cat /var/lib/marshlight-agent/spool && ls /usr/lib/marshlight-agent 2>&1; true',
  purged:
    'dpkg -P marshlight-agent >/dev/null; find / -xdev -path /proc -prune -o -path /out -prune -o -name "*marshlight*" -print',
}

/** A later package, of which only the coming matters. */
async function newer(file: string): Promise<void> {
  const [version, epoch] = ['9.0.0', 0]
  const node = { binary: '/bin/true', license: '' }
  const entries = packageContents({ version, epoch, bundle: {}, node, thirdParty: '' })
  const architecture = architectureOf(ownArchitecture())
  await pack(file, { entries, version, architecture, epoch, compression: 'none' })
}

t.test('a Debian takes the package, runs the agent by it alone, and is clean of it afterwards', async (t) => {
  const projectRoot = join(import.meta.dirname, '../..')
  const folder = t.testdir({ out: {}, again: {} })
  const out = join(folder, 'out')
  const build = (into: string) =>
    buildDeb({
      architecture: architectureOf(ownArchitecture()),
      projectRoot,
      out: into,
      progress: (_what, work) => work(),
      compression: 'none',
    })
  const deb = await build(out)
  t.equal((await build(join(folder, 'again'))).sha256, deb.sha256, 'the same sources, the same bytes')
  t.equal((await build(out)).built, false, 'what is there already is not made again')
  await newer(join(out, 'newer.deb'))
  await makeKeyFiles(join(folder, 'key'))
  await signBeside(deb.file, join(folder, 'key'))
  copyFileSync(join(folder, 'key.pub'), join(out, 'key.pub'))
  copyFileSync(join(projectRoot, 'provisioning/install.sh'), join(out, 'install.sh'))

  const script = Object.entries(steps).map(([name, step]) => `echo "== ${name}"\n${step}\n`)
  const told = execFileSync(
    'docker',
    ['run', '--rm', '-i', '--network=none', `--env=DEB=${basename(deb.file)}`, `--volume=${out}:/out:ro`].concat(
      'marshlight/agent-root:dev',
      'sh',
      '-s',
    ),
    { input: script.join(''), encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const said = Object.fromEntries(
    told
      .split(/^== /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1).trim()]),
  )
  t.equal(said.installs, '', 'the installer is content')
  t.equal(said.installed, 'install ok installed')
  t.equal(said.runs, deb.version)
  const checks = JSON.parse(said.looks ?? '').checks as { name: string; ok: boolean }[]
  t.equal(checks.find(({ name }) => name === 'programs')?.ok, true, 'they are there by the package’s dependencies')
  t.equal(checks.find(({ name }) => name === 'enrolment')?.ok, false)
  t.equal(said.starts, 'marshlight-agent.service')
  t.equal(said.trusts, 'key.pub', 'updates are taken from whom the package is from')
  t.equal(said.state, '700 root directory')
  t.equal(said.upgrades, '9.0.0', 'the newer one is there, and what was disabled stays so')
  t.match(said.removed, /^kept\nls: cannot access/)
  t.equal(said.purged, '')
})
