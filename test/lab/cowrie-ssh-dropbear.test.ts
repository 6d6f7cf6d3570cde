import t from 'tap'
import { compareSsh, offerOf } from '../fidelity/ssh-agreement.ts'
import { sshAudit } from '../fidelity/ssh-audit.ts'
import { dropbear, realPassword } from '../fidelity/ssh-hosts.ts'
import { startSideBySide } from '../fidelity/ssh-side-by-side.ts'

t.setTimeout(180_000)

const { lab, real, decoy, ssh, status } = await startSideBySide(t, dropbear)

t.test('it offers what the Dropbear of its version offers, name for name', async (t) => {
  t.same(await offerOf(decoy), await offerOf(real))
  t.same(status.leftOut, [])
})

t.test('ssh-audit says of it what it says of the real Dropbear', async (t) => {
  const [ofDecoy, ofReal] = await Promise.all([sshAudit(decoy), sshAudit(real)])
  t.same(ofDecoy, ofReal)
  t.ok(ofReal.lists.kex.length > 5 && ofReal.report.length > 20, 'it did say something')
})

t.test('it answers every probe as the real one does', async (t) => {
  const compared = await compareSsh(real, decoy, dropbear.probes, dropbear.atATime)
  for (const { name, real: expected, other } of compared) t.same(other, expected, name)
})

t.test('a real client gets through with each of its algorithms', async (t) => {
  const options = [
    ...ssh.ciphers.map((name) => `Ciphers=${name}`),
    ...ssh.macs.map((name) => `MACs=${name}`),
    ...ssh.kex.filter((name) => !/^kex/.test(name)).map((name) => `KexAlgorithms=${name}`),
    ...ssh.hostKeys.map((name) => `HostKeyAlgorithms=${name}`),
    ...['Compression=yes', 'RekeyLimit=16K'],
  ]
  for (const option of options) {
    // A MAC is used with a cipher that has none of its own; keys anew, with compression, which starts anew with them.
    const more = option.startsWith('MACs') ? ['-o', 'Ciphers=aes256-ctr'] : []
    const both = option.startsWith('Rekey') ? ['-C'] : []
    const line = 'echo through; cat /etc/passwd /proc/cpuinfo'
    const ran = await lab.ssh('root', realPassword, line, '-o', option, ...more, ...both)
    t.match(ran, { code: 0, out: /^through\nroot:x:0:0.*flags/s }, option)
  }
})
