import { wordsOf } from '../../shared/errors.ts'
import type { Told, TouchJob } from './job.ts'
import { tcpPortsOf } from './probes/scan.ts'
import { tryPasswords } from './ssh-login.ts'
import { connected, talk } from './tcp.ts'

const telnetPort = 23

/** One connection to a decoy, with a log-in by a name that nobody else uses where its service has log-ins. */
export async function touch({
  persona,
  decoy,
  username,
  password,
}: TouchJob): Promise<Extract<Told, { type: 'touched' }>> {
  const at = new Date().toISOString()
  const told = (port: number, login: boolean, answer: string) =>
    ({ type: 'touched', at, port, to: decoy.ip, login, answer: answer.slice(0, 256) }) as const
  if (persona.ssh) {
    const { end, words, client } = await tryPasswords(decoy.ip, username, [password])
    client?.destroy()
    return told(22, true, `${end} ${words}`.trim())
  }
  if (persona.telnet) {
    const send = [`${username}\r\n`, `${password}\r\n`]
    const { data } = await talk(decoy.ip, telnetPort, {
      send,
      quietMs: 3000,
      enough: (sofar) => /ncorrect|ailed/.test(sofar.toString('latin1')),
    })
    return told(telnetPort, true, data.toString('latin1').slice(-80))
  }
  const [port] = tcpPortsOf(persona)
  if (port === undefined) throw new Error('this persona has no port to touch')
  try {
    const socket = await connected(decoy.ip, port)
    socket.destroy()
    return told(port, false, 'connected')
  } catch (error) {
    throw new Error(`port ${port} does not answer: ${wordsOf(error)}`)
  }
}
