import { conversing } from './conversing.ts'
import { talkTo } from './running.ts'

conversing(
  [{ kind: 'ftp', product: 'vsftpd', version: '3.0.3', settings: { anonymous: true } }],
  [
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
  ],
)
