import t from 'tap'
import { centreOf } from '../simulation/centre.ts'
import { down, labName, up } from '../simulation/lab/index.ts'
import { until } from '../simulation/wait.ts'

// The whole way of an audit, by a real controller and a real agent: ordered, looked, reported, stored, acted on.
t.setTimeout(300_000)
const name = labName(`audit ${process.pid}`)
t.teardown(() => down(name))

type Decoy = { id: string; hostname: string; phase: string; status: string; personaVersion: number; ip: string }
type Fetched = { packets: number; bytes: number }
type Run = { status: string; score?: number; outcome?: string; findings: { probe: string; verdict: string }[] }

const wanted = ['gateway', 'controller', 'appliance-a', 'web-01', 'db-01']
const lab = await up({
  name,
  only: (machine) => wanted.includes(machine.name),
  // Only what is asked for; whatever is not as it should be is too much.
  controllerConfig: () => ({
    decoys: { perSegment: 0, audit: { enabled: false, limit: 100 } },
    scan: { maxRate: 2000 },
  }),
})
const centre = centreOf(lab)
const decoys = () => centre.ask<Decoy[]>('decoys', 'ls')

t.test('an audit that is asked for is stored, and a decoy that is told apart goes', async (t) => {
  const answers = () => centre.ask('agents', 'ls').catch(() => undefined)
  await until('the controller to answer', 60, answers)
  const invite = [
    'agents',
    'invite',
    '--site',
    'lab',
    '--segment',
    'seg-a',
    '--name',
    'appliance-a',
    '--role',
    'decoys',
  ]
  const [made] = await centre.ask<{ token: string }[]>(...invite)
  await lab.putFile('appliance-a', '/run/marshlight/token', `${made?.token}\n`)
  const deploy = ['decoys', 'deploy', '--segment', 'seg-a', '--family', 'debian-12', '--reason', 'a test']
  await until('the segment to be known', 120, () => centre.ask(...deploy).catch(() => undefined))
  const ready = await until('the decoy to answer', 120, async () =>
    (await decoys()).find(({ phase }) => phase === 'ready'),
  )

  const said = await lab.exec('web-01', ['bash', '-c', `exec 3<>/dev/tcp/${ready.ip}/22; head -1 <&3`])
  t.match(said.stdout, /^SSH-2\.0-/, 'a neighbour is greeted')
  await t.test('its packets are fetched from the appliance as a capture file', async (t) => {
    // The kernel hands packets over by the second: until then the command refuses, since the ring has none.
    // It may have a part of them, and a file that is there is never written over: each try has its own.
    let tries = 0
    const fetched = await until('the greeting to be in the ring', 20, async () => {
      const file = `/tmp/decoy-${++tries}.pcap`
      const some = await centre.ask<Fetched>('decoys', 'capture', ready.hostname, '-o', file).catch((error: Error) => {
        if (/no packet of this decoy/.test(error.message)) return undefined
        throw error
      })
      return some && some.packets >= 6 ? { ...some, file } : undefined
    })
    const look = `od -An -tx1 -N4 ${fetched.file}; stat -c "%s %a" ${fetched.file}`
    const head = await lab.exec('controller', ['sh', '-c', look])
    t.equal(head.stdout.trim().replace(/\s+/g, ' '), `d4 c3 b2 a1 ${fetched.bytes} 600`)
    const nothing = centre.ask(
      'decoys',
      'capture',
      ready.hostname,
      '--to',
      '2026-01-01T00:00:00Z',
      '-o',
      '/tmp/none.pcap',
    )
    await t.rejects(nothing, /capture|nothing|ring/i)
    await t.rejects(centre.ask('decoys', 'capture', 'nobody', '-o', '/tmp/none.pcap'), /nobody/)
  })

  // It says of itself what its persona does not: the control file of its service is another one than the plan's.
  const changed = await lab.exec('appliance-a', [
    'sh',
    '-c',
    `f=$(find /var/lib/marshlight-agent -path '*${ready.id}*' -name persona.json | head -1); [ -n "$f" ] && sed -i 's/SSH-2.0-OpenSSH_[^"]*/SSH-2.0-OpenSSH_5.1/' "$f"`,
  ])
  t.equal(changed.code, 0, changed.stderr)

  const [run] = await centre.ask<Run[]>('decoys', 'audit', ready.hostname)
  t.match(run, { status: 'done' })
  t.equal(run?.findings.find(({ probe }) => probe === 'ssh.identification')?.verdict, 'differs')
  t.equal(run?.findings.find(({ probe }) => probe === 'safety.outward')?.verdict, 'equal')
  t.ok((run?.score ?? 0) > 50, `${run?.score} of 100: the rest of it is right`)
  const [stored] = await centre.ask<Run[]>('decoys', 'audits', ready.id)
  t.match(
    stored,
    { status: 'done', score: run?.score, outcome: 'refused' },
    'the controller keeps the score and what it did',
  )
  await until('the decoy to go', 60, async () =>
    (await decoys()).some(({ id, phase }) => id === ready.id && phase === 'ready') ? undefined : true,
  )
})
