import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeKeyFiles } from '../../provisioning/image/signing-files.ts'
import { debianBox } from './debian-box.ts'
import { centreStarts, deliver } from './delivery.ts'

t.setTimeout(600_000)
const projectRoot = join(import.meta.dirname, '../..')

/** What Ansible says of a host at its end. */
const recap = (told: string) =>
  Object.fromEntries(
    [...told.matchAll(/(ok|changed|failed|skipped)=(\d+)/g)].map(([, word, count]) => [word, Number(count)]),
  )

t.test('the role makes a Debian a box, and then finds nothing to change', async (t) => {
  const out = t.testdir()
  const { deb, version } = await deliver(out)
  await makeKeyFiles(join(out, 'other'))
  await cp(join(projectRoot, 'provisioning'), join(out, 'provisioning'), { recursive: true })
  // The very inventory of the room's README: what of it is only that box's is overruled below.
  const readme = await readFile(join(projectRoot, 'provisioning/ansible/README.md'), 'utf8')
  await writeFile(join(out, 'inventory.yml'), /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '')
  const box = await debianBox({ name: 'deb-ansible', folder: out })
  t.teardown(() => box.remove())
  if (!box.systemd)
    t.comment('systemd does not run in a container of this machine: the service itself is not looked at')

  const play = async (vars: Record<string, unknown>, ...more: string[]) => {
    const all = { marshlight_agent_update_cache: false, marshlight_agent_public_key: '/out/key.pub', ...vars }
    const given = JSON.stringify({ ...all, marshlight_agent_deb: deb })
    const words = more.join(' ')
    return box.run(`cat > /run/vars.json <<'END'
${given}
END
cp /out/inventory.yml /run/
cd /root
ANSIBLE_ROLES_PATH=/out/provisioning/ansible/roles ANSIBLE_NOCOLOR=1 ansible-playbook -i /run/inventory.yml -c local \\
  -e ansible_python_interpreter=/usr/bin/python3 -e @/run/vars.json ${words} /out/provisioning/ansible/example.yml`)
  }
  const settings = { marshlight_agent_settings: { nics: ['lo'], logLevel: 'debug' } }

  await t.rejects(play({ marshlight_agent_public_key: '/out/other.pub' }), { message: /signed by another key/ })
  t.equal((await box.run('ls /usr/lib/marshlight-agent 2> /dev/null || echo none')).trim(), 'none')

  t.match(recap(await play(settings, '--check')), { failed: 0 })
  t.equal((await box.run('ls /usr/lib/marshlight-agent 2> /dev/null || echo none')).trim(), 'none', 'only looked')
  t.match(recap(await play(settings)), { failed: 0 })
  t.equal((await box.run('marshlight-agent --version')).trim(), version)
  t.match(await box.run('cat /var/lib/marshlight-agent/agent.json'), /"logLevel": "debug"/)
  t.match(recap(await play(settings)), { failed: 0, changed: 0 }, 'a second run changes nothing')
  // No network here: it gets as far as to ask for the package.
  await t.rejects(play({ ...settings, marshlight_agent_security_updates: true }), { message: /unattended-upgrades/ })

  await box.run(centreStarts)
  const token = await box.run('cat /run/office.token')
  const enrolled = await play(settings)
  t.notMatch(enrolled, token.trim().slice(-20), 'the invitation is told to nobody')
  t.match(recap(enrolled), { failed: 0 })
  t.match(await box.run('ls /var/lib/marshlight-agent/identity /run'), /identity\.json/)
  t.notMatch(await box.run('ls /run'), /invitation/)
  t.match(recap(await play(settings)), { failed: 0, changed: 0 })
  for (const _again of [1, 2]) t.match(recap(await play(settings, '--check')), { failed: 0, changed: 0 })

  if (!box.systemd) return
  t.equal((await box.run('systemctl is-active marshlight-agent')).trim(), 'active', 'it said that it is ready')
  t.equal(await box.run('systemd-analyze verify marshlight-agent.service 2>&1 | grep marshlight || true'), '')
  await t.test('an agent that gives no sign of life is started anew', async (t) => {
    await box.run(`mkdir -p /run/systemd/system/marshlight-agent.service.d
printf '[Service]\\nWatchdogSec=9\\n' > /run/systemd/system/marshlight-agent.service.d/quick.conf
systemctl daemon-reload; systemctl restart marshlight-agent
pkill -STOP -f agent.mjs
until [ "$(systemctl show -P NRestarts marshlight-agent)" != 0 ]; do sleep 0.5; done
until systemctl -q is-active marshlight-agent; do sleep 0.5; done`)
    t.match(await box.run('journalctl -u marshlight-agent | cat'), /Watchdog timeout/i)
  })
})
