/**
 * Waits for SSH at addresses, from the namespace it is started in. In: {address}. Out: {ready: true} once, and
 * {address, at}: when the first bytes of a banner came, on the monotonic clock, which all processes share.
 */
import { connect } from 'node:net'

const again = 5
const patience = 2000

process.on('message', ({ address }: { address: string }) => ask(address))
process.send?.({ ready: true })

function ask(address: string): void {
  const socket = connect(22, address)
  socket.setTimeout(patience, () => socket.destroy())
  socket.once('data', (banner) => {
    if (banner.toString('latin1').startsWith('SSH-2.0-'))
      process.send?.({ address, at: String(process.hrtime.bigint()) })
    socket.removeAllListeners('close')
    socket.destroy()
  })
  socket.on('error', () => {})
  socket.once('close', () => setTimeout(ask, again, address))
}
