import t from 'tap'
import { personaOf } from './cowrie-persona.ts'
import { eventually, Lab, Shell } from './cowrie-pod.ts'

t.setTimeout(60_000)

const lab = await Lab.start(t, personaOf('visits-01', 1))
const quiet = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'
const byKey = (line: string) =>
  lab.onAttacker('sh', '-c', `ssh -i /tmp/key -o BatchMode=yes ${quiet} root@${lab.decoy} '${line}'`)

t.test('a key that was planted opens the account, and the event says so', async (t) => {
  await lab.onAttacker('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/tmp/key')
  const { out: key } = await lab.onAttacker('cat', '/tmp/key.pub')
  const { out: mark } = await lab.onAttacker('ssh-keygen', '-lf', '/tmp/key.pub')
  t.not((await byKey('true')).code, 0, 'not before it is planted')
  const planted = await lab.ssh(
    'root',
    'toor!23',
    `mkdir -m 700 -p ~/.ssh; echo '${key.trim()}' >> ~/.ssh/authorized_keys`,
  )
  t.equal(planted.code, 0, planted.err)
  t.match(await byKey('id -un'), { code: 0, out: 'root\n' })
  await byKey('chmod 777 ~/.ssh')
  t.not((await byKey('true')).code, 0, 'StrictModes')
  const fingerprint = mark.split(' ')[1] ?? 'none'
  const told = (await lab.events()).map((line) => JSON.parse(line))
  t.match(
    told.find((event) => event.eventid === 'cowrie.login.success' && event.method === 'publickey'),
    { username: 'root', fingerprint },
  )
  const { out: log } = await lab.ssh('root', 'toor!23', 'cat /var/log/auth.log')
  t.match(
    log,
    new RegExp(
      `Accepted publickey for root from ${lab.subnet}.9 port \\d+ ssh2: ED25519 ${fingerprint.replaceAll('+', '\\+')}`,
    ),
  )
  t.match(log, 'Authentication refused: bad ownership or modes for directory /root/.ssh')
})

t.test('a visit is in the machine’s books while it lasts and after', async (t) => {
  const shell = new Shell(lab, 'root', 'toor!23')
  await shell.until(/# $/)
  shell.type('who; echo $SSH_CONNECTION; ss -tn | grep ESTAB; tty')
  const seen = await shell.until(/\/dev\/pts\/\d+\s[\s\S]*# $/)
  const from = `${lab.subnet}.9`
  const port = seen.match(new RegExp(`${from} (\\d+) ${lab.decoy} 22`))?.[1]
  t.match(seen, new RegExp(`root +pts/\\d+ +\\S+ \\S+ \\(${from}\\)`))
  t.match(seen, new RegExp(`ESTAB .*${lab.decoy}:22 +${from}:${port}\\b`))
  shell.close()
  const after = await eventually(async () => {
    const { out } = await lab.ssh('root', 'toor!23', 'who; last -n 1 root')
    return out.includes('still logged in') ? undefined : out
  }, 'the visit is over')
  t.match(after, new RegExp(`^root +pts/\\d+ +${from} .* - .*\\(00:00\\)`))
  const again = new Shell(lab, 'root', 'toor!23')
  t.match(await again.until(/# $/), new RegExp(`Last login: .* from ${from}`))
  again.close()
})
