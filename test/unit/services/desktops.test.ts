import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { conversing, hex, ntlmNegotiate } from './conversing.ts'

conversing(
  [
    { kind: 'vnc', product: 'TightVNC', version: '1.3.10' },
    {
      kind: 'rdp',
      product: 'Microsoft Terminal Services',
      settings: { netbiosName: 'PC-114', osVersion: '10.0.19041' },
    },
  ],
  [
    {
      name: 'VNC asks for a password and refuses it',
      async talk(t, running) {
        const client = await running.talk('vnc')
        t.equal(await client.text('\n'), 'RFB 003.008\n')
        client.send('RFB 003.008\n')
        t.same(await client.bytes(2), Buffer.from([1, 2]))
        client.send(Buffer.from([2]))
        t.equal((await client.bytes(16)).length, 16)
        client.send(Buffer.alloc(16, 9))
        t.same(await client.rest(), Buffer.concat([hex('00000001 00000015'), Buffer.from('Authentication failed')]))
      },
      told: [{ eventid: 'vnc.login.failed', scheme: 'vnc', response: '09'.repeat(16) }],
    },
    {
      name: 'RDP takes network level authentication only, and names itself in NTLM',
      async talk(t, running) {
        const old = await running.talk('rdp')
        old.send(hex('03000013 0ee00000000000 0100080000000000'))
        t.same(
          await old.rest(),
          hex('03000013 0ed00000123400 0300080005000000'),
          'plain RDP: HYBRID_REQUIRED_BY_SERVER',
        )
        const client = await running.talk('rdp')
        client.send(hex('03000013 0ee00000000000 0100080003000000'))
        t.same(await client.bytes(19), hex('03000013 0ed00000123400 021f080002000000'))
        const secure = connectTls({ socket: client.socket, rejectUnauthorized: false })
        await once(secure, 'secureConnect')
        t.equal(secure.getPeerCertificate().subject.CN, 'attic-nas')
        const request = Buffer.concat([hex('3037 a003020106 a130 302e 302c a02a 0428'), ntlmNegotiate, Buffer.alloc(8)])
        secure.write(request)
        const [challenge] = (await once(secure, 'data')) as [Buffer]
        t.ok(challenge.includes(Buffer.from('NTLMSSP\0\x02')))
        t.ok(challenge.includes(Buffer.from('PC-114', 'utf16le')))
        const version = challenge.indexOf('NTLMSSP') + 48
        t.same(challenge.subarray(version, version + 4), Buffer.from([10, 0, 0x61, 0x4a]), 'Windows 10.0.19041')
        secure.destroy()
      },
    },
  ],
)
