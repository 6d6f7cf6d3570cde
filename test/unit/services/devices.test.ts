import { createHash } from 'node:crypto'
import { conversing, hex, shown } from './conversing.ts'

conversing(
  [
    {
      kind: 'modbus',
      product: 'BMX',
      settings: { vendor: 'Schneider Electric', productCode: 'BMX P34 2020', revision: 'v2.8' },
    },
    { kind: 'mqtt', product: 'mosquitto', version: '2.0.11' },
    { kind: 'rtsp', product: 'Hipcam RealServer', version: '1.0', settings: { realm: 'Hipcam' } },
    { kind: 'printer', product: 'HP LaserJet', version: '4250' },
    { kind: 'snmp', product: 'net-snmp', settings: { sysDescr: 'JETDIRECT', communities: 'public intern' } },
  ],
  [
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
  ],
)
