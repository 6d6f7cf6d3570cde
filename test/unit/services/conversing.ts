import t, { type Test } from 'tap'
import { type Running, run, type Wanted } from './running.ts'

/** What is no printable character is a point. */
export const shown = (data: Buffer) => data.toString('latin1').replace(/[^ -~]/g, '.')
export const hostname = 'attic-nas'
export const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
export const lowEnd = (value: number, bytes: number) =>
  Buffer.from(Array.from({ length: bytes }, (_, at) => (value >> (8 * at)) & 255))

export const ntlmNegotiate = Buffer.concat([
  Buffer.from('NTLMSSP\0'),
  hex('01000000 978208e2 00000000 00000000 00000000 00000000'),
])

export type Case = { name: string; talk: (t: Test, running: Running) => Promise<void>; told?: object[] }

/**
 * Messages and answers as the protocols' documents have them, of services in one process; a real server's are compared
 * in test/lab. What each case says is `told` stands among the events in the end.
 */
export function conversing(services: readonly Wanted[], cases: readonly Case[]): void {
  t.test('each service speaks its protocol up to the refused log-in, and tells what was said', async (t) => {
    const running = await run(t, services)
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
}
