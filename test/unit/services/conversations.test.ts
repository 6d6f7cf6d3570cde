import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import type { PersonaService } from '../../../shared/schemas/persona.ts'
import { type Running, run, talkTo, type Wanted } from './running.ts'

/** What is no printable character is a point. */
const shown = (data: Buffer) => data.toString('latin1').replace(/[^ -~]/g, '.')
const hostname = 'attic-nas'
const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const lowEnd = (value: number, bytes: number) =>
  Buffer.from(Array.from({ length: bytes }, (_, at) => (value >> (8 * at)) & 255))

/** Messages and answers as the protocols' documents have them; a real server's are compared in test/lab. */
const services: Wanted[] = [
  { kind: 'mysql', product: 'MariaDB', version: '10.11.6-MariaDB-0+deb12u1' },
  { kind: 'redis', product: 'Redis', version: '7.0.15' },
  { kind: 'vnc', product: 'TightVNC', version: '1.3.10' },
  { kind: 'rdp', product: 'Microsoft Terminal Services', settings: { netbiosName: 'PC-114', osVersion: '10.0.19041' } },
  { kind: 'msrpc', product: 'Microsoft Windows RPC' },
  { kind: 'winrm', product: 'Microsoft HTTPAPI httpd', version: '2.0', settings: { netbiosName: 'PC-114' } },
  {
    kind: 'modbus',
    product: 'BMX',
    settings: { vendor: 'Schneider Electric', productCode: 'BMX P34 2020', revision: 'v2.8' },
  },
  { kind: 'mqtt', product: 'mosquitto', version: '2.0.11' },
  { kind: 'rtsp', product: 'Hipcam RealServer', version: '1.0', settings: { realm: 'Hipcam' } },
  { kind: 'printer', product: 'HP LaserJet', version: '4250' },
  { kind: 'snmp', product: 'net-snmp', settings: { sysDescr: 'JETDIRECT', communities: 'public intern' } },
  { kind: 'ntp', product: 'chrony' },
  { kind: 'tftp', product: 'tftpd' },
  { kind: 'netbios', product: 'Windows', settings: { netbiosName: 'PC-114', workgroup: 'OFFICE' } },
  { kind: 'mdns', product: 'Avahi', version: '0.8' },
  { kind: 'ftp', product: 'vsftpd', version: '3.0.3', settings: { anonymous: true } },
  { kind: 'https', product: 'Apache', version: '2.4.57 (Debian)', settings: { realm: 'NAS' } },
]

type Case = { name: string; talk: (t: Test, running: Running) => Promise<void>; told?: object[] }

const ntlmNegotiate = Buffer.concat([
  Buffer.from('NTLMSSP\0'),
  hex('01000000 978208e2 00000000 00000000 00000000 00000000'),
])

const cases: Case[] = [
  {
    name: 'MariaDB greets, and refuses with error 1045',
    async talk(t, running) {
      const client = await running.talk('mysql')
      const greeting = await client.bytes(90)
      t.match(
        greeting.toString('latin1'),
        /^.\0\0\0\n5\.5\.5-10\.11\.6-MariaDB-0\+deb12u1\0.*mysql_native_password\0$/s,
      )
      const body = Buffer.concat([
        lowEnd(0x000fa685, 4),
        lowEnd(1 << 24, 4),
        Buffer.from([45]),
        Buffer.alloc(23),
        Buffer.from('root\0'),
        Buffer.from([20]),
        Buffer.alloc(20, 7),
        Buffer.from('mysql_native_password\0'),
      ])
      client.send(Buffer.concat([lowEnd(body.length, 3), Buffer.from([1]), body]))
      const refusal = await client.rest()
      t.equal(refusal[3], 2, 'its number in the exchange')
      t.same(refusal.subarray(4, 7), hex('ff1504'))
      t.equal(shown(refusal.subarray(7)), "#28000Access denied for user 'root'@'127.0.0.1' (using password: YES)")
    },
    told: [{ eventid: 'mysql.login.failed', username: 'root', response: '07'.repeat(20) }],
  },
  {
    name: 'Redis without a password does what it is told, and no more',
    async talk(t, running) {
      const client = await running.talk('redis')
      client.send('*1\r\n$4\r\ninfo\r\n')
      t.match(await client.text('# Keyspace'), /# Server\r\nredis_version:7\.0\.15\r\n/i)
      const exchange = async (text: string) => {
        client.send(`${text}\r\n`)
        return client.text('\r\n')
      }
      t.equal(await exchange('set x 1'), '+OK\r\n')
      t.equal(await exchange('dbsize'), ':1\r\n')
      t.match(
        await exchange('config set dir /root/.ssh'),
        /^-ERR CONFIG SET failed .*'dir'\) - can't set protected config/,
      )
      t.equal(await exchange('get'), "-ERR wrong number of arguments for 'get' command\r\n")
      t.equal(await exchange('nonsense a'), "-ERR unknown command 'nonsense', with args beginning with: 'a' \r\n")
      t.equal(await exchange('*x'), '-ERR Protocol error: invalid multibulk length\r\n')
    },
    told: [{ eventid: 'redis.command', input: 'config set dir /root/.ssh' }],
  },
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
    told: [{ eventid: 'vnc.login.failed', response: '09'.repeat(16) }],
  },
  {
    name: 'RDP takes network level authentication only, and names itself in NTLM',
    async talk(t, running) {
      const old = await running.talk('rdp')
      old.send(hex('03000013 0ee00000000000 0100080000000000'))
      t.same(await old.rest(), hex('03000013 0ed00000123400 0300080005000000'), 'plain RDP: HYBRID_REQUIRED_BY_SERVER')
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
  {
    name: 'the endpoint mapper turns down what is no RPC, and binds what is',
    async talk(t, running) {
      const odd = await running.talk('msrpc')
      odd.send('\0\x1e\0\x06\x01\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03')
      t.match((await odd.rest()).toString('hex'), /^05000d031000000018000000760700000400010500.{6}$/)
      const client = await running.talk('msrpc')
      const mapper = '0883afe11f5dc91191a408002b14a0fa03000000 045d888aeb1cc9119fe808002b10486002000000'
      client.send(hex(`05000b0310000000 48000000 01000000 d016d016 00000000 01000000 0000 0100 ${mapper}`))
      const ack = await client.bytes(60)
      t.equal(ack[2], 12)
      t.ok(ack.includes(Buffer.from('135\0')))
      client.socket.destroy()
    },
  },
  {
    name: 'WinRM asks for NTLM, and Windows’ own driver answers elsewhere',
    async talk(t, running) {
      const elsewhere = await running.talk('winrm')
      elsewhere.send('GET / HTTP/1.0\r\n\r\n')
      const page = (await elsewhere.rest()).toString()
      t.match(
        page,
        /^HTTP\/1\.1 404 Not Found\r\nContent-Type: text\/html; charset=us-ascii\r\nServer: Microsoft-HTTPAPI\/2\.0/,
      )
      t.match(page, /Content-Length: 315\r\n/, 'the length of the real page')
      const client = await running.talk('winrm')
      const post = (token: string) =>
        client.send(`POST /wsman HTTP/1.1\r\nHost: x\r\nAuthorization: Negotiate ${token}\r\nContent-Length: 0\r\n\r\n`)
      post(ntlmNegotiate.toString('base64'))
      const told = /WWW-Authenticate: Negotiate (\S+)/.exec(await client.text('\r\n\r\n'))?.[1] ?? ''
      const challenge = Buffer.from(told, 'base64')
      t.ok(challenge.includes(Buffer.from('PC-114', 'utf16le')))
      const user = Buffer.from('alice', 'utf16le')
      const field = (size: number, at: number) => Buffer.concat([lowEnd(size, 2), lowEnd(size, 2), lowEnd(at, 4)])
      const empty = field(0, 64)
      const answer = Buffer.alloc(32, 5)
      const fields = [empty, field(32, 64 + user.length), empty, field(user.length, 64), empty, empty]
      const head = Buffer.concat([Buffer.from('NTLMSSP\0'), lowEnd(3, 4), ...fields, lowEnd(0, 4)])
      post(Buffer.concat([head, user, answer]).toString('base64'))
      t.match(await client.text('\r\n\r\n'), /^HTTP\/1\.1 401 /)
      client.socket.destroy()
    },
    told: [{ eventid: 'winrm.login.failed', username: 'alice', response: '05'.repeat(32) }],
  },
  {
    name: 'Modbus identifies itself, reads registers and takes writes',
    async talk(t, running) {
      const client = await running.talk('modbus')
      client.send(hex('0001 0000 0005 01 2b 0e 01 00'))
      t.match(shown(await client.bytes(30)), /Schneider Electric.*BMX P34 2020.*v2\.8/)
      client.send(hex('0002 0000 0006 01 03 0000 0002'))
      t.same((await client.bytes(13)).subarray(0, 9), hex('0002 0000 0007 01 03 04'))
      client.send(hex('0003 0000 0006 01 03 ffff 0002'))
      t.same(await client.bytes(9), hex('0003 0000 0003 01 83 02'), 'no such address')
      client.send(hex('0004 0000 0006 01 06 0001 00ff'))
      t.same(await client.bytes(12), hex('0004 0000 0006 01 06 0001 00ff'))
      client.socket.destroy()
    },
    told: [{ eventid: 'modbus.command', input: 'unit 1 write register 1 255' }],
  },
  {
    name: 'the broker lets nobody in',
    async talk(t, running) {
      const client = await running.talk('mqtt')
      client.send(hex('101a 0004 4d515454 04 c2 003c 0004 6e6d6170 0002 6461 0004 74657374'))
      t.same(await client.rest(), hex('20020005'))
    },
    told: [{ eventid: 'mqtt.login.failed', username: 'da', password: 'test' }],
  },
  {
    name: 'the camera names its server and asks for a log-in',
    async talk(t, running) {
      const client = await running.talk('rtsp')
      client.send('OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n')
      t.match(
        await client.text('\r\n\r\n'),
        /^RTSP\/1\.0 200 OK\r\nCSeq: 1\r\nServer: Hipcam RealServer\/1\.0\r\nPublic: OPTIONS/,
      )
      const login = Buffer.from('admin:12345').toString('base64')
      client.send(`DESCRIBE rtsp://x/11 RTSP/1.0\r\nCSeq: 2\r\nAuthorization: Basic ${login}\r\n\r\n`)
      t.match(
        await client.text('\r\n\r\n'),
        /401 Unauthorized\r\nCSeq: 2\r\n.*WWW-Authenticate: Digest realm="Hipcam"/s,
      )
      client.socket.destroy()
    },
    told: [{ eventid: 'rtsp.login.failed', username: 'admin', password: '12345', url: 'rtsp://x/11' }],
  },
  {
    name: 'the printer says what it is and keeps a job for the agent',
    async talk(t, running) {
      const client = await running.talk('printer')
      client.send('\x1b%-12345X@PJL INFO ID\r\n')
      t.equal(await client.text('\x0c'), '@PJL INFO ID\r\n"HP LaserJet 4250"\r\n\x0c')
      client.socket.end('%!PS-Adobe-3.0\nshowpage\n')
      await client.rest()
    },
    told: [
      {
        eventid: 'printer.file.upload',
        shasum: createHash('sha256').update('%!PS-Adobe-3.0\nshowpage\n').digest('hex'),
      },
    ],
  },
  {
    name: 'SNMP tells the system to those who know a community',
    async talk(t, running) {
      const answer = await running.ask(
        'snmp',
        hex('302902010104067075626c6963a01c020401020304020100020100300e300c06082b060102010101000500'),
      )
      t.same(answer.subarray(-11), Buffer.concat([hex('0409'), Buffer.from('JETDIRECT')]))
      const engine = await running.ask(
        'snmp',
        hex(
          '303a020103300f02024a69020300ffe30401040201030410300e0400020100020100040004000400301204000400a00c020237f00201000201003000',
        ),
      )
      t.ok(engine.includes(hex('80001f88')), 'the engine of Net-SNMP')
      t.ok(engine.includes(hex('060a2b060106030f01010400')), 'usmStatsUnknownEngineIDs')
    },
  },
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
      t.match(shown(await running.ask('mdns', query('1.0.0.127.in-addr.arpa', 12))), new RegExp(`${hostname}.local.$`))
      t.match(shown(await running.ask('mdns', query('_services._dns-sd._udp.local', 12))), /_smb._tcp|_rtsp._tcp/)
      t.match(
        shown(await running.ask('mdns', query('_rtsp._tcp.local', 12))),
        new RegExp(`${hostname}._rtsp._tcp.local.$`),
      )
      const loop = Buffer.concat([hex('eeee 0000 0001 0000 0000 0000'), hex('c00c 0001 0001')])
      const last = await running.ask('mdns', query('other.local', 1), loop, hex('00'), query(`${hostname}.local`, 255))
      t.same(last.subarray(6, 8), hex('0001'), 'none of the first three has an answer')
    },
    told: [{ eventid: 'mdns.request', method: 'A', url: `${hostname.toUpperCase()}.local` }],
  },
  {
    name: 'NetBIOS lists the names of the host',
    async talk(t, running) {
      const any = Buffer.concat([Buffer.from([32]), Buffer.from(`CK${'A'.repeat(30)}`), hex('00 0021 0001')])
      const answer = await running.ask('netbios', Buffer.concat([hex('80f0 0010 0001 0000 0000 0000'), any]))
      const names = shown(answer.subarray(57))
      t.match(names, /^PC-114 {9}\.\.\.OFFICE {9}\.\.\.PC-114 {10}\.\./)
    },
  },
  {
    name: 'vsftpd’s refusals come in its own time',
    async talk(t, running) {
      const client = await running.talk('ftp')
      await client.text('\r\n')
      client.send('SYST\r\n')
      t.equal(await client.text('\r\n'), '530 Please login with USER and PASS.\r\n')
      client.send('PASS x\r\n')
      t.equal(await client.text('\r\n'), '503 Login with USER first.\r\n')
      client.send('FEAT\r\n')
      t.match(await client.text('211 End\r\n'), /^211-Features:\r\n EPRT\r\n/)
      client.socket.destroy()
    },
  },
  {
    name: 'anonymous finds an empty folder, and can leave nothing',
    async talk(t, running) {
      const client = await running.talk('ftp')
      await client.text('\r\n')
      const exchange = async (line: string) => {
        client.send(`${line}\r\n`)
        return client.text('\r\n')
      }
      await exchange('USER anonymous')
      t.equal(await exchange('PASS a@b'), '230 Login successful.\r\n')
      t.equal(await exchange('STOR x'), '550 Permission denied.\r\n')
      t.match(await exchange('PORT 127,0,0,1,0,80'), /^500 /, 'it opens no connection outward')
      const port = Number(/\|(\d+)\|\)/.exec(await exchange('EPSV'))?.[1])
      const data = await talkTo(port)
      client.send('LIST\r\n')
      t.equal((await data.rest()).length, 0)
      t.match(await client.text('226'), /^150 .*226 Directory send OK/s)
      client.send('QUIT\r\n')
      await client.rest()
    },
    told: [{ eventid: 'ftp.login.success', username: 'anonymous', password: 'a@b' }],
  },
  {
    name: 'HTTPS has a certificate of its own, and asks for a log-in',
    async talk(t, running) {
      const port = running.portOf('https')
      const secure = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      await once(secure, 'secureConnect')
      const { subject, bits, fingerprint256 } = secure.getPeerCertificate()
      t.match({ subject, bits }, { subject: { CN: 'attic-nas' }, bits: 2048 })
      t.ok(
        fingerprint256.startsWith('47:B2:71:D7:1D:61:BD:81:06:FF'),
        'the seed’s, at each visit and after each rebuild',
      )
      secure.write(`GET / HTTP/1.0\r\nAuthorization: Basic ${Buffer.from('admin:geheim').toString('base64')}\r\n\r\n`)
      const [answer] = (await once(secure, 'data')) as [Buffer]
      t.match(
        answer.toString(),
        /^HTTP\/1\.1 401 Unauthorized\r\nDate: .*\r\nServer: Apache\/2\.4\.57 \(Debian\)\r\nWWW-Authenticate: Basic realm="NAS"\r\n/,
      )
      secure.destroy()
    },
    told: [{ eventid: 'https.login.failed', username: 'admin', password: 'geheim' }],
  },
]

t.test('each service speaks its protocol up to the refused log-in, and tells what was said', async (t) => {
  const running = await run(t, services as PersonaService[])
  for (const { name, talk } of cases) await t.test(name, (t) => talk(t, running))
  const events = await running.events()
  for (const { name, told = [] } of cases)
    for (const event of told) {
      const like = events.find((one) => Object.entries(event).every(([key, value]) => one[key] === value))
      t.ok(like, `${name}: ${JSON.stringify(event)}`)
    }
  const odd = events.filter((one) => typeof one.src_ip !== 'string' || typeof one.session !== 'string')
  t.same(odd, [])
})
