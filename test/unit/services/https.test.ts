import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { conversing } from './conversing.ts'

conversing(
  [{ kind: 'https', product: 'Apache', version: '2.4.57 (Debian)', settings: { realm: 'NAS' } }],
  [
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
  ],
)
