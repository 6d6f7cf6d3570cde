import { debian, later, type Mutation, within } from './subjects.ts'

/** Files and honey-credentials against users, times and bounds. */
export const filesMutations: readonly Mutation[] = [
  [
    'a file of nobody',
    within(
      debian,
      'files',
      () => true,
      (one) => ({ ...one, uid: 4242 }),
    ),
    /who is no user/,
  ],
  [
    'a file of root in somebody’s home',
    within(
      debian,
      'files',
      ({ path }) => path.startsWith('/home/'),
      (one) => ({ ...one, uid: 0 }),
    ),
    /lies with/,
  ],
  [
    'a file of tomorrow',
    within(
      debian,
      'files',
      () => true,
      (one) => ({ ...one, modifiedAt: later }),
    ),
    /in the future/,
  ],
  [
    'a path of Windows',
    within(
      debian,
      'files',
      () => true,
      (one) => ({ ...one, path: 'C:\\x.txt' }),
    ),
    /no path of/,
  ],
  [
    'more files than a decoy may hold',
    {
      ...debian,
      files: [0, 1, 2, 3].map((n) => ({
        path: `/srv/${n}`,
        mode: 0o644,
        uid: 0,
        gid: 0,
        modifiedAt: debian.bootedAt,
        content: 'x'.repeat(30_000),
      })),
      honey: [],
    },
    /bytes/,
  ],
  [
    'a honey-credential that stands nowhere',
    within(
      debian,
      'honey',
      () => true,
      (one) => ({ ...one, password: 'Another-password9' }),
    ),
    /does not hold/,
  ],
  [
    'a honey-credential that opens an account',
    {
      ...debian,
      users: debian.users.map((one) => ({ ...one, passwords: debian.honey?.map(({ password }) => password) ?? [] })),
    },
    /opens an account/,
  ],
]
