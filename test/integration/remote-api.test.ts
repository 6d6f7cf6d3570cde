import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { initController } from '../../controller/fleet/index.ts'
import { freePort } from '../faults/controller.ts'
import { commandWith, controllerWorld } from '../faults/world.ts'

t.setTimeout(120_000)

t.test('another machine reaches the API over TLS with the token, and nobody without', async (t) => {
  const port = await freePort()
  const world = await controllerWorld(t, undefined, { api: { host: '127.0.0.1', port } })
  const files = {
    MARSHLIGHT_API_TOKEN_FILE: join(world.dataDir, 'api-token'),
    MARSHLIGHT_API_CA_FILE: join(world.dataDir, 'ca/ca.pem'),
  }
  const url = `https://127.0.0.1:${port}`
  const ask = (env: Record<string, string>) => commandWith(env, 'marshlight', '--api', url, '--json', 'agents', 'ls')

  const good = await ask(files)
  t.equal(good.code, 0, good.err)
  t.same(JSON.parse(good.out), [], 'the fleet of that controller, which is empty')

  const wrong = join(t.testdir(), 'token')
  await writeFile(wrong, `${'x'.repeat(43)}\n`)
  const refused = await ask({ ...files, MARSHLIGHT_API_TOKEN_FILE: wrong })
  t.not(refused.code, 0)
  t.match(refused.err, /token/i, 'says what was wrong')
  t.notMatch(refused.err, /x{43}/, 'and does not repeat a secret')

  const missing = await ask({ MARSHLIGHT_API_CA_FILE: files.MARSHLIGHT_API_CA_FILE })
  t.not(missing.code, 0)
  t.match(missing.err, /MARSHLIGHT_API_TOKEN_FILE/)

  const other = join(t.testdir({}), 'other')
  await initController({ dataDir: other, config: { publicHost: '127.0.0.1' }, now: Date.now() })
  const foreign = await ask({ ...files, MARSHLIGHT_API_CA_FILE: join(other, 'ca/ca.pem') })
  t.not(foreign.code, 0, 'a server that another CA signed is not spoken to')
  t.match(foreign.err, /certificate|CA/i)
})

t.test('the API over the network speaks TLS 1.3 only', async (t) => {
  const port = await freePort()
  await controllerWorld(t, undefined, { api: { host: '127.0.0.1', port } })
  const old = connectTls({ host: '127.0.0.1', port, maxVersion: 'TLSv1.2', rejectUnauthorized: false })
  await t.rejects(new Promise((resolve, reject) => old.once('secureConnect', resolve).once('error', reject)))
  const plain = connect(port, '127.0.0.1', () => plain.write('GET /v1/agents HTTP/1.1\r\nHost: x\r\n\r\n'))
  let heard = ''
  plain.on('data', (bytes) => {
    heard += bytes
  })
  await new Promise((resolve) => plain.once('close', resolve).on('error', () => {}))
  t.notMatch(heard, /items/)
})
