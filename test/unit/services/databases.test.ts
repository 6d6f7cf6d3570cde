import { conversing, hex, lowEnd, shown } from './conversing.ts'

conversing(
  [
    { kind: 'mysql', product: 'MariaDB', version: '10.11.6-MariaDB-0+deb12u1' },
    { kind: 'redis', product: 'Redis', version: '7.0.15' },
  ],
  [
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
      told: [{ eventid: 'mysql.login.failed', username: 'root', scheme: 'mysql-native', response: '07'.repeat(20) }],
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
  ],
)
