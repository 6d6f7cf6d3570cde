import { at, type Fields, type Probe, packet } from './ssh-probe.ts'
import { message } from './ssh-wire.ts'

export const session = at('session')
export const ending = (probe: Probe, ...until: number[]): Probe => ({ ...probe, until })
export const open = (theirs = 0, window = 1 << 20) => packet(message.channelOpen, 'session', theirs, window, 32_768)
export const request = (channel: number, name: string, ...rest: Fields) =>
  packet(message.channelRequest, channel, name, true, ...rest)
export const pty = request(0, 'pty-req', 'xterm', 80, 24, 0, 0, Buffer.from([0]))
