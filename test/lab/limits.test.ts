import { execFileSync, spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { bannerFrom, decoyOf, makeAppliance, planOf, settled } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'
import { until } from './namespace-segment.ts'

t.setTimeout(120_000)

t.test('the limits of a decoy hold, and it answers all the while', async (t) => {
  const segment = makeSegment(t)
  const { agent, engine, reported, decoys } = await makeAppliance(t, segment, { lookEveryMs: 2000 })
  const limits = { memoryMb: 160, pids: 24, cpus: 1, connections: 6, connectionsPerSource: 4 }
  const [decoy, neighbour] = [
    decoyOf(segment, 20, 'attic-nas', { limits }),
    decoyOf(segment, 21, 'cellar-db', { limits }),
  ]
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(planOf(agent, 1, [decoy, neighbour]))
  t.match(await reported(settled(1)), { outcome: 'applied', count: 2 })
  const name = `marshlight-${decoy.id}-cowrie`
  const startOf = async () => (await engine.containers()).find((one) => one.name === name)?.startedAt
  const started = await startOf()
  const python = (program: string) =>
    spawnSync('docker', ['exec', name, 'python3', '-IBS', '-c', program], { encoding: 'utf8' })
  const stillThere = async (t: Test) => {
    for (const { ip } of [decoy, neighbour]) t.match(bannerFrom(segment, ip), /^SSH-2.0-OpenSSH/)
    t.equal(await startOf(), started, 'it was not started again')
  }

  await t.test('connections: of each source, and of all', async (t) => {
    const [one, another] = [9, 10].map((host) => segment.cidr.replace('0/24', String(host)))
    segment.onNeighbour('ip', 'addr', 'add', `${another}/24`, 'dev', 'h0')
    const answered = (...sources: string[]) => {
      const program = `import socket, sys
found, answered = [], 0
for source in sys.argv[1:]:
    found.append(socket.create_connection(("${decoy.ip}", 22), 5, (source, 0)))
for one in found:
    try:
        answered += one.recv(4) == b"SSH-"
    except OSError:
        pass
print(answered)`
      return Number(segment.onNeighbour('python3', '-c', program, ...sources))
    }
    t.equal(answered(...Array(8).fill(one)), 4)
    t.equal(answered(...Array(6).fill(one), ...Array(6).fill(another)), 6)
    await stillThere(t)
  })

  await t.test('memory: what takes more is ended by the kernel', async (t) => {
    t.not(python('held = bytearray(400 << 20)\nfor at in range(0, len(held), 4096): held[at] = 1').status, 0)
    await stillThere(t)
  })

  await t.test('processes', async (t) => {
    const program = `import os, time
made = []
try:
    for _ in range(200):
        pid = os.fork()
        if pid == 0:
            time.sleep(30)
            os._exit(0)
        made.append(pid)
except OSError as error:
    print(error.errno, len(made))
for pid in made:
    os.kill(pid, 9)
    os.waitpid(pid, 0)`
    const [errno, made] = python(program).stdout.trim().split(' ').map(Number)
    t.equal(errno, 11, 'EAGAIN')
    t.ok(Number(made) < limits.pids)
    await stillThere(t)
  })

  await t.test('disk: what is not the decoy’s own folders is small or cannot be written', async (t) => {
    const program = `import os
file = open("/tmp/fill", "wb")
try:
    for _ in range(64):
        file.write(bytes(1 << 20))
        file.flush()
except OSError as error:
    print(error.errno)
os.unlink("/tmp/fill")`
    t.equal(python(program).stdout.trim(), '28', 'ENOSPC')
    await stillThere(t)
  })

  await t.test('a service that hangs is started again', async (t) => {
    const pid = execFileSync('docker', ['inspect', '-f', '{{.State.Pid}}', name], { encoding: 'utf8' }).trim()
    process.kill(Number(pid), 'SIGSTOP')
    const found = await reported((record) => record.type === 'notice' && record.code === 'DECOY_HUNG', 0, 80)
    t.match(found, { level: 'warning', data: { decoy: decoy.id } })
    await until('it runs anew', async () => (await startOf()) !== started)
    t.not(await startOf(), started)
  })
})
