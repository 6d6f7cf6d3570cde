import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { personaOf } from './cowrie-persona.ts'
import { docker, eventually, Lab } from './cowrie-pod.ts'

t.setTimeout(60_000)

const lab = await Lab.start(t, personaOf('files-01', 1))
const answers = () =>
  eventually(async () => ((await lab.ssh('root', 'toor!23', 'true')).code === 0 ? true : undefined), 'a log-in', 30)

/** `tool` is sftp or scp of the attacker's OpenSSH, with the password and without questions. */
const transfer = (line: string) => {
  const options = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'
  return lab.onAttacker('sh', '-c', line.replace('%', `sshpass -p 'toor!23'`).replace('@@', options))
}

t.test('the tree is that of a real Debian server, its programs to the byte', async (t) => {
  await answers()
  const { out } = await lab.ssh(
    'root',
    'toor!23',
    'ls /usr/bin | wc -l; sha256sum /usr/bin/env; stat -c %a /etc/shadow',
  )
  const real = await docker(
    'run',
    '--rm',
    '--network',
    'none',
    'marshlight/debian-server:dev',
    'sha256sum',
    '/usr/bin/env',
  )
  const [programs, sum, mode] = out.trim().split(/\r?\n/)
  t.ok(Number(programs) > 400, `${programs} programs`)
  t.equal(sum?.split(' ')[0], real.split(' ')[0])
  t.equal(mode, '640')
})

t.test('what real sftp and scp bring is there, captured, and outlives a restart', async (t) => {
  const data = `payload ${'x'.repeat(40_000)}\n`
  const digest = createHash('sha256').update(data).digest('hex')
  await lab.onAttacker('sh', '-c', `printf 'payload %s\\n' "$(head -c 40000 /dev/zero | tr '\\0' x)" > /tmp/in`)
  const put = await transfer(
    `printf 'put /tmp/in /root/by-sftp\\nrename /root/by-sftp /root/kept\\n' | % sftp @@ root@${lab.decoy}`,
  )
  t.equal(put.code, 0, put.err)
  const old = await transfer(`% scp -O @@ /tmp/in root@${lab.decoy}:/root/by-scp`)
  t.equal(old.code, 0, old.err)
  t.ok((await readdir(join(lab.folder, 'out/files'))).includes(digest), 'captured under its digest')
  t.equal((await readFile(join(lab.folder, 'out/files', digest), 'utf8')).length, data.length)
  await docker('restart', '-t', '5', lab.service)
  await answers()
  const { out } = await lab.ssh('root', 'toor!23', 'sha256sum /root/kept /root/by-scp')
  t.same(
    out
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(' ')[0]),
    [digest, digest],
  )
})
