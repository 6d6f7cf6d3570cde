import t from 'tap'
import { readCatalogue } from '../../controller/personas/index.ts'
import { compareSsh, offerOf } from '../fidelity/ssh-agreement.ts'
import { sshAudit } from '../fidelity/ssh-audit.ts'
import { openssh, realPassword } from '../fidelity/ssh-hosts.ts'
import { startSideBySide } from '../fidelity/ssh-side-by-side.ts'
import { command, docker } from './cowrie-pod.ts'

t.setTimeout(180_000)

const { lab, real, decoy, ssh, status } = await startSideBySide(t)

t.test('it offers what the sshd of its version offers, name for name', async (t) => {
  t.same(await offerOf(decoy), await offerOf(real))
  t.same(status.leftOut, [])
})

t.test('ssh-audit says of it what it says of the real sshd', async (t) => {
  const [ofDecoy, ofReal] = await Promise.all([sshAudit(decoy), sshAudit(real)])
  t.same(ofDecoy, ofReal)
  t.ok(ofReal.lists.kex.length > 5 && ofReal.report.length > 20, 'it did say something')
})

t.test('it answers every probe as the real one does', async (t) => {
  for (const { name, real: expected, other } of await compareSsh(real, decoy, openssh.probes))
    t.same(other, expected, name)
})

t.test('a real client gets through with each of its algorithms', async (t) => {
  const options = [
    ...ssh.ciphers.map((name) => `Ciphers=${name}`),
    ...ssh.macs.map((name) => `MACs=${name}`),
    ...ssh.kex
      .filter((name) => !/^kex-strict|^sntrup761x25519-sha512$/.test(name))
      .map((name) => `KexAlgorithms=${name}`),
    ...ssh.hostKeys.map((name) => `HostKeyAlgorithms=${name}`),
    ...['Compression=yes', 'RekeyLimit=16K'],
  ]
  const work = options.entries()
  const run = async () => {
    for (const [, option] of work) {
      // A MAC is used with a cipher that has none of its own.
      const more = option.startsWith('MACs') ? ['-o', 'Ciphers=aes256-ctr'] : []
      const ran = await lab.ssh(
        'root',
        realPassword,
        'echo through; cat /etc/passwd /proc/cpuinfo',
        '-o',
        option,
        ...more,
      )
      t.match(ran, { code: 0, out: /^through\nroot:x:0:0.*flags/s }, option)
    }
  }
  await Promise.all([run(), run(), run(), run()])
})

t.test('keys are made anew in the middle of much data, each way', async (t) => {
  const data = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join('')
  const target = lab.sshArguments(
    'root',
    realPassword,
    '-o',
    'RekeyLimit=64K',
    '-c',
    'aes128-ctr',
    '-m',
    'umac-64@openssh.com',
  )
  const { out, code } = await command('docker', [...target, 'cat'], data)
  t.equal(code, 0)
  t.equal(out.length, data.length)
  t.ok(out === data, 'all of it came back')
})

t.test('every OpenSSH of the catalogue can be served whole', async (t) => {
  const look = `
import json, sys
from marshlight_cowrie.persona import Ssh
from marshlight_cowrie.ssh.algorithms import offer_of
for name, one in json.load(sys.stdin).items():
    ssh = Ssh(banner=name, kex=one["kex"], host_keys=one["hostKeys"], ciphers=one["ciphers"], macs=one["macs"],
              compression=one["compression"], max_auth_tries=6)
    print(name, offer_of(ssh).left_out)`
  const { algorithms } = readCatalogue()
  const image = [
    'run',
    '--rm',
    '-i',
    '--network',
    'none',
    '--entrypoint',
    'python3',
    'marshlight/cowrie:dev',
    '-P',
    '-c',
  ]
  const { out, err } = await command('docker', [...image, look], JSON.stringify(algorithms))
  t.same(
    out.trim().split('\n'),
    Object.keys(algorithms).map((name) => `${name} []`),
    err,
  )
})

t.test('UMAC gives the tags of RFC 4418', async (t) => {
  const look = `
from marshlight_cowrie.ssh.protection import aes_blocks
from marshlight_cowrie.ssh.umac import Umac
for size in (8, 16):
    umac = Umac(b"abcdefghijklmnop", size, aes_blocks)
    for message in (b"", b"aaa", b"a" * 1024, b"a" * 32768, b"abc", b"abc" * 500):
        print(umac.tag(message, b"bcdefghi").hex()[:16])`
  const out = await docker(
    'run',
    '--rm',
    '--network',
    'none',
    '--entrypoint',
    'python3',
    'marshlight/cowrie:dev',
    '-P',
    '-c',
    look,
  )
  const of64 = [
    '6e155fad26900be1',
    '44b5cb542f220104',
    '26bf2f5d60118bd9',
    '27f8ef643b0d118d',
    'd4d7b9f6bd4fbfcf',
    'd4cf26ddefd5c01a',
  ]
  const of128 = [
    '32fedb100c79ad58',
    '185e4fe905cba7bd',
    '7a54abe04af82d60',
    '7b136bd911e4b734',
    '883c3d4b97a61976',
    '8824a260c53c66a3',
  ]
  t.same(out.split('\n'), [...of64, ...of128])
})
