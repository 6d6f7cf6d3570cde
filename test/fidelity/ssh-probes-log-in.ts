import { clientLists, kexInitOf } from './ssh-client.ts'
import { at, type Fields, type Probe, packet } from './ssh-probe.ts'
import { message, payload, string } from './ssh-wire.ts'

const keys = at('keys')
const service = at('service')
const auth = (user: string, method: string, ...rest: Fields) =>
  packet(message.authRequest, user, 'ssh-connection', method, ...rest)
const anyKey = Buffer.concat([string('ssh-ed25519'), string(Buffer.alloc(32, 3))])
const publicKey = auth('root', 'publickey', false, 'ssh-ed25519', anyKey)

export const logInProbes: Probe[] = [
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
  keys('EXT_INFO after the keys', packet(message.extInfo, 0), packet(message.serviceAccept, 'x')),
  { ...keys('EXT_INFO that was announced', packet(message.extInfo, 0)), kex: ['ext-info-c'] },
  keys('a value without KEXINIT', packet(message.kexEcdhInit, Buffer.alloc(32, 9))),
  keys('NEWKEYS after the keys', packet(message.newKeys)),
  keys('a message 0 after the keys', packet(0)),
  service('a password that is a NUL', auth('root', 'password', false, '\0')),
  service('a name with a NUL', auth('ro\0ot', 'none')),
  service('a name of 150 bytes', auth('n'.repeat(150), 'none')),
  service('a text of 9500 bytes', auth('root', 'password', false, 'p'.repeat(9500))),
  service('a service of the same length', packet(message.authRequest, 'root', 'ssh-connectiom', 'none')),
  service('a key that is cut off', auth('root', 'publickey', false, 'ssh-ed25519')),
  service('a key with a signature', auth('root', 'publickey', true, 'ssh-ed25519', anyKey, 'signature')),
  service('unknown methods, eleven', ...Array.from({ length: 11 }, () => auth('root', 'magic', 'x'))),
]
