/** One connection, from the namespace it is started in, as standard input and output: stdio-connect ADDRESS PORT. */
import { connect } from 'node:net'

const [, , address = '', port = ''] = process.argv
const socket = connect(Number(port), address)
socket.setNoDelay(true)
process.stdin.pipe(socket).pipe(process.stdout)
socket.once('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
