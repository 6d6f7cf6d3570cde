import { clientLists, kexInitOf } from './ssh-client.ts'
import { message, payload, string, uint32 } from './ssh-wire.ts'

/** How far a probe goes before its own steps: nothing said, identified, keys made, service accepted, logged in. */
export type Stage = 'none' | 'greeted' | 'identified' | 'keys' | 'service' | 'session'

export type Step =
  | { bytes: Buffer }
  | { packet: Buffer }
  /** A packet whose last byte is another. */
  | { broken: Buffer }
  /** A byte each, `everyMs` apart. */
  | { slowly: Buffer; everyMs: number }
  /** The client's end of the connection is shut. */
  | { shut: true }
  /** Keys are made anew. */
  | { rekey: true }

export type Probe = {
  name: string
  stage: Stage
  /** Words the client adds to its key exchanges. */
  kex?: readonly string[]
  steps: readonly Step[]
  /** Messages that must have come, besides what answers the steps at once: of programs, and of connections made. */
  until?: readonly number[]
}

const text = (bytes: string): Step => ({ bytes: Buffer.from(bytes, 'latin1') })
const packet = (...parts: Parameters<typeof payload>): Step => ({ packet: payload(...parts) })
const before = (name: string, ...steps: Step[]): Probe => ({ name, stage: 'greeted', steps })

const identification: Probe[] = [
  before('major version 1', text('SSH-1.5-client\r\n')),
  before('major version 3', text('SSH-3.0-client\r\n')),
  before('version 1.99', text('SSH-1.99-client\r\n')),
  before('version without minor', text('SSH-2-client\r\n')),
  before('no software', text('SSH-2.0-\r\n')),
  before('software with comment', text('SSH-2.0-a b c\r\n')),
  before('LF alone', text('SSH-2.0-client\n')),
  before('lower case', text('ssh-2.0-client\r\n')),
  before('a known scanner', text('SSH-2.0-Probe-1\r\n')),
  before('another known scanner', text('SSH-2.0-SSH_Version_Mapper\r\n')),
  before('garbage', text('\x80\x01\xff\xfe\x00garbage\r\n')),
  before('garbage without end', text('xyzzy')),
  before('HTTP', text('GET / HTTP/1.0\r\n\r\n')),
  before('TLS client hello', text('\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\n')),
  before('empty line', text('\r\n')),
  before('bare LF', text('\n')),
  before('NUL bytes', text('\0\0\0\0\r\n')),
  before('one NUL', text('\0')),
  before('CR in the middle', text('SSH-2.0-cli\rent\r\n')),
  before('two CR', text('SSH-2.0-client\r\r\n')),
  before('8 kB without newline', text('a'.repeat(8192))),
  before('10 kB without newline', text('a'.repeat(10_000))),
  before('a version of 300 bytes', text(`SSH-2.0-${'v'.repeat(300)}\r\n`)),
  before('a version of 8000 bytes', text(`SSH-2.0-${'v'.repeat(8000)}\r\n`)),
  before('lines before the identification', text('hello\r\nworld\r\nSSH-2.0-client\r\n')),
  before('slow bytes', { slowly: Buffer.from('SSH-2.0-slow\r\n'), everyMs: 15 }),
  before('half a version, then the end', text('SSH-2.0-half'), { shut: true }),
  before('nothing, then the end', { shut: true }),
]

const junkKex = [['no-such-kex'], ...clientLists().slice(1)]
const junkCipher = [...clientLists().slice(0, 2), ['no'], ['no'], ...clientLists().slice(4)]
const junkKey = [clientLists()[0] ?? [], ['ssh-none'], ...clientLists().slice(2)]
const kexInit: Step = { packet: kexInitOf(clientLists()) }
const identified = (name: string, ...steps: Step[]): Probe => ({ name, stage: 'identified', steps })

const packets: Probe[] = [
  identified('what it offers'),
  identified('length 0', { bytes: Buffer.concat([uint32(0), Buffer.alloc(12)]) }),
  identified('length 4', { bytes: Buffer.concat([uint32(4), Buffer.alloc(12)]) }),
  identified('a packet of 256 MB', { bytes: Buffer.concat([uint32(0x1000_0000), Buffer.alloc(12, 5)]) }),
  identified('one byte past the largest', { bytes: Buffer.concat([uint32(262_145), Buffer.alloc(12)]) }),
  identified('text for a packet', text('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
  identified('not whole blocks', { bytes: Buffer.concat([uint32(13), Buffer.alloc(20, 6)]) }),
  identified('too little padding', { bytes: Buffer.concat([uint32(12), Buffer.from([2]), Buffer.alloc(11, 20)]) }),
  identified('message 0', packet(0)),
  identified('message 192', packet(192)),
  identified('unknown message before the keys', packet(77), packet(19)),
  identified('service request before the keys', packet(message.serviceRequest, 'ssh-userauth')),
  identified('log-in before the keys', packet(message.authRequest, 'root', 'ssh-connection', 'none')),
  identified(
    'ignore and debug before the keys',
    packet(message.ignore, 'x'),
    packet(message.debug, true, 'a', ''),
    packet(55),
  ),
  identified('NEWKEYS out of order', packet(message.newKeys)),
  identified('DISCONNECT', packet(message.disconnect, 11, 'bye', '')),
  identified('no common key exchange', { packet: kexInitOf(junkKex) }),
  identified('no common cipher', { packet: kexInitOf(junkCipher) }),
  identified('no common host key', { packet: kexInitOf(junkKey) }),
  identified('a KEXINIT that is cut off', { packet: kexInitOf(clientLists()).subarray(0, 40) }),
  identified('two KEXINITs', kexInit, kexInit),
  identified('a point of 31 bytes', kexInit, packet(message.kexEcdhInit, Buffer.alloc(31, 9))),
  identified('a point of zeros', kexInit, packet(message.kexEcdhInit, Buffer.alloc(32))),
  identified(
    'a wrong guess',
    { packet: kexInitOf([['kex-guess', 'curve25519-sha256'], ...clientLists().slice(1)], true) },
    packet(30, 'guess'),
    packet(99),
  ),
  identified('unknown message in the exchange', kexInit, packet(99)),
  identified(
    'strict: a message that does not belong',
    { packet: kexInitOf(clientLists(['kex-strict-c-v00@openssh.com'])) },
    packet(message.ignore, 'x'),
  ),
  identified(
    'strict: an unknown message',
    { packet: kexInitOf(clientLists(['kex-strict-c-v00@openssh.com'])) },
    packet(99),
  ),
  identified('strict: KEXINIT is not the first', packet(message.ignore, 'x'), {
    packet: kexInitOf(clientLists(['kex-strict-c-v00@openssh.com'])),
  }),
  ...[
    ['group exchange in bounds', 2048, 3072, 8192],
    ['group exchange of 1024', 1024, 1024, 1024],
    ['group exchange the wrong way round', 4096, 2048, 1024],
  ].map(([name, ...bits]) =>
    identified(
      String(name),
      { packet: kexInitOf([['diffie-hellman-group-exchange-sha256'], ...clientLists().slice(1)]) },
      { packet: Buffer.concat([Buffer.from([34]), ...bits.map((bit) => uint32(Number(bit)))]) },
    ),
  ),
]

const keys = (name: string, ...steps: Step[]): Probe => ({ name, stage: 'keys', steps })
const service = (name: string, ...steps: Step[]): Probe => ({ name, stage: 'service', steps })
const auth = (
  user: string,
  method: string,
  ...rest: Parameters<typeof payload> extends [number, ...infer R] ? R : never
) => packet(message.authRequest, user, 'ssh-connection', method, ...rest)
const anyKey = Buffer.concat([string('ssh-ed25519'), string(Buffer.alloc(32, 3))])
const publicKey = auth('root', 'publickey', false, 'ssh-ed25519', anyKey)

const authentication: Probe[] = [
  { ...keys('extensions'), kex: ['ext-info-c'] },
  { ...keys('extensions, strict'), kex: ['ext-info-c', 'kex-strict-c-v00@openssh.com'] },
  keys('another service', packet(message.serviceRequest, 'ssh-connection')),
  keys('a service of its own', packet(message.serviceRequest, 'no-such-service')),
  keys('log-in without the service', auth('root', 'none')),
  keys('unknown message after the keys', packet(199 - 8), packet(60)),
  keys('keys anew before the service', { packet: kexInitOf(clientLists()) }),
  keys('channel before the log-in', packet(message.channelOpen, 'session', 0, 1000, 1000)),
  keys('a broken tag', { broken: payload(message.ignore, 'x') }),
  keys('bytes that were never sealed', { bytes: Buffer.alloc(64, 1) }),
  service('the service twice', packet(message.serviceRequest, 'ssh-userauth')),
  service('none', auth('root', 'none')),
  service('none of nobody', auth('nosuchuser', 'none')),
  service('none seven times', ...Array.from({ length: 8 }, () => auth('root', 'none'))),
  service('public keys, seven', ...Array.from({ length: 7 }, () => publicKey)),
  service('a key of an unknown kind', auth('root', 'publickey', false, 'ssh-none', 'blob')),
  service('a key and another algorithm', auth('root', 'publickey', false, 'ssh-rsa', anyKey)),
  service('keyboard-interactive', auth('root', 'keyboard-interactive', '', '')),
  service('host based', auth('root', 'hostbased', 'ssh-ed25519', anyKey, 'host', 'user', 'sig')),
  service('an unknown method', auth('root', 'magic', 'x')),
  service('another user', auth('root', 'none'), auth('admin', 'none')),
  service(
    'another service in the log-in',
    packet(message.authRequest, 'root', 'ssh-foo', 'none'),
    auth('root', 'none'),
  ),
  service('an empty password', auth('root', 'password', false, '')),
  service('a password of 2000 bytes', auth('root', 'password', false, 'p'.repeat(2000))),
  service('a password to change', auth('jmeier', 'password', true, 'old', 'new')),
  service('a wrong password', auth('root', 'password', false, 'wrong')),
  service('a wrong password of nobody', auth('nosuchuser', 'password', false, 'wrong')),
  service('six wrong passwords', ...Array.from({ length: 7 }, () => auth('root', 'password', false, 'wrong'))),
  service('a log-in that is cut off', { packet: payload(message.authRequest, 'root', 'ssh-connection') }),
  service('an answer nobody asked for', packet(61, 1, 'x')),
  service('a session before the log-in', packet(message.channelOpen, 'session', 0, 1000, 1000)),
]

const session = (name: string, ...steps: Step[]): Probe => ({ name, stage: 'session', steps })
const ending = (probe: Probe, ...until: number[]): Probe => ({ ...probe, until })
const open = (theirs = 0, window = 1 << 20) => packet(message.channelOpen, 'session', theirs, window, 32_768)
const request = (
  channel: number,
  name: string,
  ...rest: Parameters<typeof payload> extends [number, ...infer R] ? R : never
) => packet(message.channelRequest, channel, name, true, ...rest)
const pty = request(0, 'pty-req', 'xterm', 80, 24, 0, 0, Buffer.from([0]))

const connection: Probe[] = [
  session('after the log-in'),
  session('unknown message in a session', packet(111), packet(70)),
  session('keepalive', packet(message.globalRequest, 'keepalive@openssh.com', true)),
  session('an unknown global request', packet(message.globalRequest, 'what@example.org', true)),
  session('no more sessions', packet(message.globalRequest, 'no-more-sessions@openssh.com', true)),
  session('a session after no more', packet(message.globalRequest, 'no-more-sessions@openssh.com', false), open()),
  session('an unknown channel', packet(message.channelOpen, 'what', 5, 1000, 1000)),
  session('an open session', open(9)),
  ending(session('exec', open(), request(0, 'exec', 'echo hello')), message.close),
  ending(session('exec that fails', open(), request(0, 'exec', 'exit 3')), message.close),
  ending(session('exec with errors', open(), request(0, 'exec', 'cat /no/such')), message.close),
  ending(
    session('exec without a reply', open(), packet(message.channelRequest, 0, 'exec', false, 'echo hi')),
    message.close,
  ),
  ending(session('exec twice', open(), request(0, 'exec', 'sleep 1'), request(0, 'exec', 'echo two')), message.close),
  ending(
    session('exec in two channels', open(0), open(1), request(0, 'exec', 'echo a'), request(1, 'exec', 'echo b')),
    message.close,
    message.close,
  ),
  ending(
    session(
      'exec that reads',
      open(),
      request(0, 'exec', 'cat'),
      packet(message.data, 0, 'data'),
      packet(message.eof, 0),
    ),
    message.close,
  ),
  ending(session('a number is used again', open(4), packet(message.close, 0), open(5)), message.close),
  ending(session('close without a program', open(), packet(message.close, 0)), message.close),
  session('end without a program', open(), packet(message.eof, 0)),
  session(
    'environment',
    open(),
    request(0, 'env', 'LANG', 'C'),
    request(0, 'env', 'LC_ALL', 'C'),
    request(0, 'env', 'FOO', 'x'),
  ),
  session('a terminal', open(), pty),
  session('a terminal twice', open(), pty, pty),
  session('window change without a terminal', open(), request(0, 'window-change', 80, 24, 0, 0)),
  session('a terminal, window change', open(), pty, request(0, 'window-change', 100, 30, 0, 0)),
  session('an unknown subsystem', open(), request(0, 'subsystem', 'what')),
  session('sftp', open(), request(0, 'subsystem', 'sftp')),
  session('X11', open(), request(0, 'x11-req', false, 'MIT-MAGIC-COOKIE-1', '00', 0)),
  session('agent', open(), request(0, 'auth-agent-req@openssh.com')),
  session('an unknown request', open(), request(0, 'what@example.org')),
  session('a signal without a program', open(), request(0, 'signal', 'TERM')),
  session('break', open(), request(0, 'break', 100)),
  session('a request on no channel', request(7, 'exec', 'id')),
  session('data on no channel', packet(message.data, 7, 'x')),
  session('end of no channel', packet(message.eof, 7)),
  session('close of no channel', packet(message.close, 7)),
  session('window of no channel', packet(message.windowAdjust, 7, 100)),
  session('eleven sessions', ...Array.from({ length: 11 }, (_, i) => open(i))),
  ending(
    session(
      'a forward that is refused',
      packet(message.channelOpen, 'direct-tcpip', 3, 1000, 1000, '127.0.0.1', 9, '127.0.0.1', 5),
    ),
    message.channelOpenFailure,
  ),
  ending(
    session(
      'a forward to itself',
      packet(message.channelOpen, 'direct-tcpip', 3, 100_000, 1000, '127.0.0.1', 22, '127.0.0.1', 5),
    ),
    message.channelOpenConfirmation,
    message.data,
  ),
  session('listen', packet(message.globalRequest, 'tcpip-forward', true, '127.0.0.1', 15_022)),
  session('listen anywhere', packet(message.globalRequest, 'tcpip-forward', true, '127.0.0.1', 0)),
  session('listen no more', packet(message.globalRequest, 'cancel-tcpip-forward', true, '127.0.0.1', 15_023)),
  session('keys anew', { rekey: true }, open()),
  session('the service in a session', packet(message.serviceRequest, 'ssh-userauth')),
  session('log-in in a session', auth('root', 'none')),
  session('DISCONNECT in a session', packet(message.disconnect, 11, 'bye', '')),
  session('a channel that is cut off', { packet: payload(message.channelOpen, 'session') }),
]

/** What is done to a server, each on a connection of its own. */
export const sshProbes: readonly Probe[] = [...identification, ...packets, ...authentication, ...connection]
