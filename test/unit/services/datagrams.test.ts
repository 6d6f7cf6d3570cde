import { conversing, hex, hostname, shown } from './conversing.ts'

conversing(
  [
    { kind: 'ntp', product: 'chrony' },
    { kind: 'tftp', product: 'tftpd' },
    { kind: 'mdns', product: 'Avahi', version: '0.8' },
    { kind: 'rtsp', product: 'Hipcam RealServer', version: '1.0', settings: { realm: 'Hipcam' } },
  ],
  [
    {
      name: 'the clock tells the time',
      async talk(t, running) {
        const query = Buffer.alloc(48)
        query[0] = 0x23
        query.writeUInt32BE(0xabcdef01, 40)
        const answer = await running.ask('ntp', query)
        t.equal(answer[0], 0x24)
        t.equal(answer.readUInt32BE(24), 0xabcdef01, 'what the client sent comes back')
        t.ok(Math.abs(answer.readUInt32BE(40) - 2208988800 - Date.now() / 1000) < 5)
      },
    },
    {
      name: 'TFTP has no file, and takes none',
      async talk(t, running) {
        t.same(
          await running.ask('tftp', Buffer.from('\0\x01startup-config\0octet\0')),
          Buffer.from('\0\x05\0\x01File not found\0'),
        )
      },
      told: [{ eventid: 'tftp.request', method: 'RRQ', url: 'startup-config' }],
    },
    {
      name: 'mDNS tells its name, its address and what it serves, and nothing of others',
      async talk(t, running) {
        const query = (name: string, kind: number) =>
          Buffer.concat([
            hex('abcd 0000 0001 0000 0000 0000'),
            ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
            Buffer.from([0, 0, kind, 0, 1]),
          ])
        const own = await running.ask('mdns', query(`${hostname.toUpperCase()}.local`, 1))
        t.same(
          own.subarray(0, 8),
          hex('abcd 8400 0001 0001'),
          'number and question come back, as an old resolver expects',
        )
        t.same(own.subarray(-10), hex('0000000a 0004 7f000001'))
        t.match(
          shown(await running.ask('mdns', query('1.0.0.127.in-addr.arpa', 12))),
          new RegExp(`${hostname}.local.$`),
        )
        t.match(shown(await running.ask('mdns', query('_services._dns-sd._udp.local', 12))), /_smb._tcp|_rtsp._tcp/)
        t.match(
          shown(await running.ask('mdns', query('_rtsp._tcp.local', 12))),
          new RegExp(`${hostname}._rtsp._tcp.local.$`),
        )
        const loop = Buffer.concat([hex('eeee 0000 0001 0000 0000 0000'), hex('c00c 0001 0001')])
        const last = await running.ask(
          'mdns',
          query('other.local', 1),
          loop,
          hex('00'),
          query(`${hostname}.local`, 255),
        )
        t.same(last.subarray(6, 8), hex('0001'), 'none of the first three has an answer')
      },
      told: [{ eventid: 'mdns.request', method: 'A', url: `${hostname.toUpperCase()}.local` }],
    },
  ],
)
