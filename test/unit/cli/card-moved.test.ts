import t from 'tap'
import { makeCardMoved } from '../../../agent/cli/card-moved.ts'

t.test('a cable or an address that comes or goes is told once, the first look is not', async (t) => {
  const moved = makeCardMoved()
  const out = { name: 'eth0', mac: '1c:69:7a:00:00:01', signal: false, networks: [] }
  const plugged = { ...out, signal: true }
  const told = [out, out, plugged, plugged, { ...plugged, address: '198.18.3.10' }, undefined, out].map(moved)
  t.same(told, [false, false, true, false, true, true, true])
})
