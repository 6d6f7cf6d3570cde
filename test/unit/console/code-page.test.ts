import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { makeTypedHere } from '../../../agent/cli/typed-here.ts'
import { openPage } from '../../../agent/console/page.ts'
import { codeText, secretFrom } from '../../../shared/enrolment-code.ts'

const code = codeText({ secret: secretFrom(Buffer.from([1, 2, 3, 4, 5])), verifier: '0123456789AB' })

async function page(t: Test) {
  const taker = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taker.once('listening', resolve))
  const { port } = taker.address() as AddressInfo
  await new Promise((resolve) => taker.close(resolve))
  const typed = makeTypedHere()
  const state = { takes: true }
  const opened = await openPage({
    address: '127.0.0.1',
    port,
    networks: () => ['127.0.0.0/8'],
    html: () => 'the state',
    codes: () => (state.takes ? typed : undefined),
  })
  t.teardown(opened.close)
  const at = `http://127.0.0.1:${port}`
  const send = (form: Record<string, string> | string, headers: Record<string, string> = { origin: at }) =>
    fetch(`${at}/code`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
    })
  return { at, send, typed, state }
}

t.test('a code is typed at the page while the box waits for one, and at no other time', async (t) => {
  const { at, send, typed, state } = await page(t)
  const form = await (await fetch(`${at}/code`)).text()
  t.match(form, /<form method="post" action="\/code"/)
  t.notMatch(form, /http-equiv="refresh"/, 'it does not come anew while somebody types')
  const done = await send({ controller: 'controller.example', code: code.toLowerCase() })
  t.equal(done.status, 200)
  t.match(await done.text(), /The code is tried/)
  t.match(await (await send({ controller: 'x', code })).text(), /The box is at a code already/)
  t.match(typed.take(), { controller: 'controller.example', code: code.toLowerCase() })
  t.equal(typed.take(), undefined, 'once')

  t.equal((await send({ controller: '', code: `10.0.0.5:8884 ${code}` })).status, 200, 'as the QR code holds it')
  t.match(typed.take(), { controller: '10.0.0.5:8884', code })

  state.takes = false
  t.equal((await send({ controller: 'x', code })).status, 405)
  t.equal((await fetch(`${at}/code`)).status, 404)
  t.equal(typed.take(), undefined)
})

t.test('what cannot be a code is told, and what was typed elsewhere is not taken', async (t) => {
  const { send, typed, at } = await page(t)
  const wrong = await send({ controller: '10.0.0.5', code: `${code.slice(0, -1)}*` })
  t.equal(wrong.status, 422)
  const text = await wrong.text()
  t.match(text, /mistyped: group 5/)
  t.match(text, /value="10\.0\.0\.5"/, 'the address is not typed twice')
  t.match(await (await send({ code })).text(), /address of the controller is missing/)
  t.match(await (await send({ controller: '"><script>', code })).text(), /&quot;&gt;&lt;script&gt;/)
  t.equal((await send({ controller: 'x', code }, { origin: 'http://evil.example' })).status, 403)
  t.equal((await send({ controller: 'x', code }, {})).status, 403, 'no browser says nothing of where a form is from')
  t.equal((await send('x'.repeat(5000))).status, 400)
  t.equal((await send('{}', { origin: at, 'content-type': 'application/json' })).status, 400)
  t.equal(typed.take(), undefined)
  for (let n = 0; n < 30; n++) {
    t.equal((await send({ controller: 'x', code })).status, 200)
    typed.take()
  }
  t.match(await (await send({ controller: 'x', code })).text(), /Too many codes/)
})
