import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { tellAnswerer, tellAsker } from '../../../agent/capture/greeting.ts'

const pod = join(import.meta.dirname, '../../../images/pod')

/** Both sides of one conversation in memory: what each said in turn. */
const program = `
import json, sys
sys.path.insert(0, ${JSON.stringify(pod)})
import mimic_peers, mimic_ssh
sizes = [(160, 44), (140, 100), (36, 0), (44, 5000), (20000, 100000), (90, 1)]
told = {}
certified = mimic_peers.certified()
for kind in ("https", "smb", "ssh"):
    asks = mimic_ssh.Asking() if kind == "ssh" else mimic_peers.Asking(kind)
    answers = mimic_ssh.Answering() if kind == "ssh" else mimic_peers.Answering(certified)
    opening = []
    for _ in range(asks.steps):
        said = asks.step()
        # In pieces, as a network may bring it.
        heard = b"".join(text for at in range(0, len(said), 700) for text in answers.take(said[at:at + 700]))
        opening.append([said.hex(), heard.hex(), asks.take(heard[:9]) or asks.take(heard[9:])])
    had = []
    for size, response in sizes:
        text = asks.message(size, response)
        had.append([len(text), sum(map(len, answers.take(text))), asks.expected(response)])
    told[kind] = {"opening": opening, "had": had}
for name, junk in (("tls", mimic_peers.Answering(certified)), ("ssh", mimic_ssh.Answering())):
    try:
        for _ in range(3):
            junk.take(b"GET / HTTP/1.1\\r\\n" * 40)
        told[name + " junk"] = "taken"
    except (OSError, ValueError) as error:
        told[name + " junk"] = "refused"
print(json.dumps(told))
`
type Had = { opening: [string, string, boolean][]; had: [number, number, number][] }

t.test('peers begin as TLS and SSH do, and then have the sizes that are asked for', async (t) => {
  const told: Record<string, Had> = JSON.parse(execFileSync('python3', ['-IBS', '-c', program], { encoding: 'utf8' }))
  const { https, smb, ssh } = told as { https: Had; smb: Had; ssh: Had }
  const bytes = (of: Had, side: 0 | 1) => Buffer.concat(of.opening.map((one) => Buffer.from(one[side], 'hex')))

  t.match(tellAsker(bytes(https, 0)), { kind: /^t13i\d{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$/, isHello: true })
  t.match(tellAsker(bytes(smb, 0)), { kind: /^t13i\d{4}00_/, isHello: true })
  t.match(tellAnswerer(bytes(https, 1)).kind, /./, 'a server that chose')
  const [asks, answers] = [tellAsker(bytes(ssh, 0)).kind, tellAnswerer(bytes(ssh, 1)).kind]
  t.equal(asks, '472b5de333ad665af5cbf10ff892c4df', 'the HASSH of a real client, OpenSSH 9.2p1 of Debian 12')
  t.match(answers, /^[0-9a-f]{32}$/)
  t.match(
    ssh.opening[0]?.map((one) => (one === true ? one : Buffer.from(String(one), 'hex').toString())),
    [/^SSH-2\.0-OpenSSH_/, /^SSH-2\.0-OpenSSH_/, true],
  )
  t.same(
    ssh.opening.map(([said, heard]) => [said.length / 2, heard.length / 2]),
    [
      [41, 41],
      [1560, 1136],
      [1208, 1564],
    ],
    'as long as between two OpenSSH 9.2 of Debian 12',
  )
  for (const [kind, { opening, had }] of Object.entries({ https, smb, ssh })) {
    t.ok(
      opening.every(([, , isWhole]) => isWhole),
      `${kind}: each step was answered`,
    )
    t.strictSame(
      had.map(([size]) => size),
      [160, 140, 36, 44, 20_000, 90],
      `${kind}: requests`,
    )
    t.strictSame(
      had.map(([, answered]) => answered),
      had.map(([, , expected]) => expected),
    )
    t.strictSame(
      had.slice(0, 5).map(([, answered]) => answered),
      [44, 100, 0, 5000, 100_000],
      `${kind}: responses`,
    )
  }
  t.match(told, { 'tls junk': 'refused', 'ssh junk': 'refused' })
})
