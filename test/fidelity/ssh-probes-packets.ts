import { clientLists, kexInitOf } from './ssh-client.ts'
import { at, type Probe, packet, type Step, text } from './ssh-probe.ts'
import { message, uint32 } from './ssh-wire.ts'

const junkKex = [['no-such-kex'], ...clientLists().slice(1)]
const junkCipher = [...clientLists().slice(0, 2), ['no'], ['no'], ...clientLists().slice(4)]
const junkKey = [clientLists()[0] ?? [], ['ssh-none'], ...clientLists().slice(2)]
const kexInit: Step = { packet: kexInitOf(clientLists()) }
const kexOf = (...before: string[]) => [[...before, 'curve25519-sha256'], ...clientLists().slice(1)]
const guess = packet(message.kexEcdhInit, 'guess')

/** Packets before there are keys. */
const identified = at('identified')

export const packetProbes: Probe[] = [
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
  identified('a key exchange that is only a word', { packet: kexInitOf(kexOf('kex-strict-s-v00@openssh.com')) }),
  identified(
    'a guess of the new kind',
    { packet: kexInitOf(kexOf('kex-guess', 'kexguess2@matt.ucc.asn.au'), true) },
    guess,
  ),
  identified('sixty key exchanges', { packet: kexInitOf(kexOf(...Array.from({ length: 60 }, (_, i) => `kex-${i}`))) }),
  identified('a name of 10 kB', { packet: kexInitOf(kexOf('k'.repeat(10_000))) }, guess),
  identified('EXT_INFO before the keys', packet(message.extInfo, 0)),
  identified('a public value and more', kexInit, packet(message.kexEcdhInit, Buffer.alloc(32, 9), 'more')),
  identified('NEWKEYS for a public value', kexInit, packet(message.newKeys)),
  identified('a message of 36 kB', packet(message.ignore, 'x'.repeat(36_000))),
  identified('DISCONNECT in the exchange', kexInit, packet(message.disconnect, 11, 'bye', '')),
]
