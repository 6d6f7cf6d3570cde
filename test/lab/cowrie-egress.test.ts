import t from 'tap'
import { personaOf } from './cowrie-persona.ts'
import { command, docker, Lab } from './cowrie-pod.ts'

t.setTimeout(60_000)

const lab = await Lab.start(t, personaOf('db-srv-02', 1))

t.test('not even a process of its own in its network gets out elsewhere', async (t) => {
  const inside = `${lab.name}-inside`
  lab.beforeStop(() => docker('rm', '-f', inside))
  const image = ['marshlight/lab-attacker:dev', 'sleep', 'infinity']
  await docker('run', '-d', '--name', inside, '--network', `container:${lab.pod}`, ...image)
  const reach = async (host: number, port: number) => {
    const tool = ['nc', '-z', '-w', '1', `${lab.subnet}.${host}`, String(port)]
    const { code } = await command('docker', ['exec', inside, ...tool])
    // 1 is the answer of nc itself: a container that is gone would give another.
    t.ok(code === 0 || code === 1, `nc ended with ${code}`)
    return code === 0
  }
  t.same(await Promise.all([reach(9, 80), reach(10, 80), reach(9, 22)]), [true, false, false])
  await lab.control('egress.json', [{ cidr: `${lab.subnet}.10/32`, proto: 'tcp', port: 80 }])
  await t.rejects(docker('exec', lab.pod, 'marshlight-pod', 'verify'), 'rules that are not of the file are seen')
  await docker('exec', lab.pod, 'marshlight-pod', 'apply')
  t.same(await Promise.all([reach(9, 80), reach(10, 80)]), [false, true])
  await lab.control('egress.json', 'nonsense')
  await t.rejects(docker('exec', lab.pod, 'marshlight-pod', 'apply'))
  t.equal(await reach(10, 80), false, 'a file that cannot be used closes everything')
  await lab.control('egress.json', [])
  t.match(await docker('exec', lab.pod, 'marshlight-pod', 'apply'), '"ok": true')
})
