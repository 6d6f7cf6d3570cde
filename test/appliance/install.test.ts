import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { imageArchives } from '../../provisioning/build/archive.ts'
import { debianBox } from './debian-box.ts'
import { centreStarts, deliver } from './delivery.ts'

t.setTimeout(600_000)

t.test('the installer makes a Debian a box of its controller; run again, it keeps it one', async (t) => {
  const out = t.testdir()
  const { deb, version } = await deliver(out)
  await cp(join(import.meta.dirname, '../../provisioning/install.sh'), join(out, 'install.sh'))
  await cp(imageArchives(), join(out, 'images'), { recursive: true })
  const box = await debianBox({ name: 'deb-install', folder: out })
  t.teardown(() => box.remove())
  if (!box.systemd)
    t.comment('systemd does not run in a container of this machine: the service itself is not looked at')
  const install = (...words: string[]) =>
    box.run(`sh /out/install.sh --deb ${deb} --pubkey /out/key.pub ${words.join(' ')} 2>&1 < /dev/null`)
  const identity = '/var/lib/marshlight-agent/identity/identity.json'

  t.match(await install(), /is what the key’s owner signed[\s\S]*done\. Next: marshlight-agent enrol/)
  t.equal((await box.run('marshlight-agent --version')).trim(), version)
  await box.run(centreStarts)
  const words = ['--images', '/out/images', '--token-file', '/run/office.token']
  // The box has no network: what cannot be fetched is told before the invitation is used up.
  await t.rejects(install(...words, '--security-updates'), { message: /security updates were not set up/ })
  t.equal((await box.run(`ls ${identity} 2> /dev/null || echo none`)).trim(), 'none')

  t.match(await install(...words), /enrolling[\s\S]*doctor tells whether all is well|done\. There is no systemd/)
  await box.run('cmp /out/images/decoys.tar /usr/share/marshlight/images/decoys.tar')
  const enrolled = await box.run(`cat ${identity}`)
  t.match(await install(...words), /is enrolled already and stays so/)
  t.equal(await box.run(`cat ${identity}`), enrolled)
  const { checks } = JSON.parse(await box.run('marshlight-agent doctor --json || true')) as {
    checks: { name: string; ok: boolean; detail: string }[]
  }
  for (const name of ['rights', 'programs', 'enrolment', 'controller', ...(box.systemd ? ['decoy images'] : [])])
    t.match(
      checks.find((one) => one.name === name),
      { ok: true },
      name,
    )
  if (box.systemd) t.equal((await box.run('systemctl is-active marshlight-agent')).trim(), 'active')
})
