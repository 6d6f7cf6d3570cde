import { conversing, hex, lowEnd, ntlmNegotiate, shown } from './conversing.ts'

conversing(
  [
    { kind: 'msrpc', product: 'Microsoft Windows RPC' },
    { kind: 'winrm', product: 'Microsoft HTTPAPI httpd', version: '2.0', settings: { netbiosName: 'PC-114' } },
    { kind: 'netbios', product: 'Windows', settings: { netbiosName: 'PC-114', workgroup: 'OFFICE' } },
  ],
  [
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
          client.send(
            `POST /wsman HTTP/1.1\r\nHost: x\r\nAuthorization: Negotiate ${token}\r\nContent-Length: 0\r\n\r\n`,
          )
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
      told: [{ eventid: 'winrm.login.failed', username: 'alice', scheme: 'ntlm', response: '05'.repeat(32) }],
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
  ],
)
