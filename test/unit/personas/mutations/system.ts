import type { Persona } from '../../../../shared/schemas/persona.ts'
import { debian, type Mutation, network, printer, windows, within } from './subjects.ts'

/** Network stack, kernel, packages and accounts against the system they are of. */
export const systemMutations: readonly Mutation[] = [
  ['Windows with the time to live of Linux', { ...windows, ttl: 64 }, /TTL/],
  ['Windows with time stamps', network(windows, { timestamps: true }), /timestamps/],
  ['Windows with a stack of Linux', network(windows, { stack: 'linux' }), /stack/],
  [
    'Windows with a kernel of Linux',
    { ...windows, os: { ...windows.os, kernel: { ...windows.os.kernel, name: 'Linux' } } },
    /calls its kernel/,
  ],
  [
    'Windows with a home of Unix',
    within(
      windows,
      'users',
      ({ uid }) => uid > 1000,
      (one) => ({ ...one, home: `/home/${one.name}` }),
    ),
    /lives in/,
  ],
  [
    'a log-in where nobody is let in',
    { ...printer, users: printer.users.map((one) => ({ ...one, passwords: ['1234'] })) },
    /can log in/,
  ],
  ['a printer with a large window', network(printer, { window: 65_535 }), /window/],
  ['no network stack', { ...debian, network: undefined } as unknown as Persona, /network stack/],
  [
    'a package of another release',
    within(
      debian,
      'packages',
      ({ name }) => name === 'bash',
      (one) => ({ ...one, version: '5.1-2+deb11u1' }),
    ),
    /bash/,
  ],
  [
    'a package nobody has',
    within(
      debian,
      'packages',
      ({ name }) => name === 'bash',
      (one) => ({ ...one, name: 'zzz' }),
    ),
    /no package of/,
  ],
  [
    'no package of the running kernel',
    { ...debian, packages: (debian.packages ?? []).filter(({ name }) => !name.startsWith('linux-image')) },
    /kernel's package/,
  ],
  [
    'another SSH package than the banner says',
    within(
      debian,
      'packages',
      ({ name }) => name === 'openssh-server',
      (one) => ({ ...one, version: '1:9.2p1-2' }),
    ),
    /openssh-server/,
  ],
  [
    'a package twice',
    { ...debian, packages: [...(debian.packages ?? []), ...(debian.packages ?? []).slice(0, 1)] },
    /twice/,
  ],
]
