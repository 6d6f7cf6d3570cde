import t from 'tap'
import { makeSafety } from '../../agent/safety/index.ts'
import { listAlerts } from '../../controller/alerts/index.ts'
import { silentLog } from '../../shared/log.ts'
import { agentA, decoyA, enrol, makeChain } from '../unit/sessions/chain.ts'

t.test(
  'a decoy that can do what it must not becomes an alert at the controller, after it was taken down',
  async (t) => {
    const chain = makeChain(t)
    await enrol(chain)
    const happened: string[] = []
    const alerted = Promise.withResolvers<void>()
    // What the engine would say of a service that got a way out; the rest of the way is the product's own.
    const container = {
      id: 'c1',
      name: `marshlight-${decoyA}-cowrie`,
      labels: { 'marshlight.decoy': decoyA, 'marshlight.kind': 'service' },
      running: true,
      startedAt: '2026-03-01T09:59:00Z',
    }
    const safety = makeSafety({
      engine: {
        containers: async () => [container] as never,
        exec: async () => ({
          exitCode: 0,
          output: '{"tried": 30, "succeeded": ["udp: a datagram left for 198.19.255.254:9"]}',
        }),
      },
      report: async (stream, records) => {
        happened.push('told')
        await chain.feed(stream as 'state', records)
        alerted.resolve()
      },
      clock: chain.clock,
      log: silentLog,
      decoys: () => [{ decoy: decoyA, ip: '198.18.1.50', egress: [] }],
      takeDown: async (decoy) => void happened.push(`down ${decoy}`),
      everySeconds: 60,
    })
    await safety.start(new AbortController().signal)
    t.teardown(() => safety.stop())
    await alerted.promise
    t.same(happened, [`down ${decoyA}`, 'told'])
    const [alert, ...others] = await listAlerts(chain.store, { limit: 10, kind: 'notice' })
    t.same(others, [])
    t.match(alert, {
      subject: `${agentA}/DECOY_UNSAFE`,
      severity: 'high',
      status: 'open',
      title: 'agent box-a reports DECOY_UNSAFE',
      reasons: [/^decoy 198\.18\.1\.50 was taken down: .*a datagram left for 198\.19\.255\.254:9/],
    })
    t.match(chain.heard, [{ name: 'alert', id: alert?.id }], 'whoever follows alerts is told')
  },
)

t.test('a try that could not be made is told, and is no alert', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  const notice = { type: 'notice', at: '2026-03-01T10:00:00.000Z', message: 'x', data: { decoy: decoyA } }
  await chain.feed('state', [{ ...notice, level: 'warning', code: 'SAFETY_UNKNOWN' }])
  t.same(await listAlerts(chain.store, { limit: 10, kind: 'notice' }), [])
})
