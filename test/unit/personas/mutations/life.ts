import { cronLine, debian, type Mutation, now, schedule } from './subjects.ts'

/** Cron, log-ins, working hours and up time. */
export const lifeMutations: readonly Mutation[] = [
  [
    'cron of somebody unknown',
    cronLine(
      () => true,
      (one) => ({ ...one, user: 'zoe' }),
    ),
    /no user/,
  ],
  [
    'cron at no time',
    cronLine(
      () => true,
      (one) => ({ ...one, at: '61 * * * *' }),
    ),
    /no time/,
  ],
  [
    'cron that the crontab does not hold',
    cronLine(
      ({ file }) => file === '/etc/cron.d/backup',
      (one) => ({ ...one, command: 'rm -rf /tmp/x' }),
    ),
    /does not hold/,
  ],
  [
    'another line in the crontab that the package brings',
    cronLine(
      ({ file }) => file === '/etc/crontab',
      (one) => ({ ...one, command: 'rm -rf /tmp/x' }),
    ),
    /its package brings/,
  ],
  [
    'log-ins of a system user',
    schedule(debian, { logins: [{ user: 'www-data', perDay: 1, from: 'tty1' }] }),
    /logs in/,
  ],
  [
    'up for far longer than it restarts',
    { ...debian, bootedAt: new Date(now - 200 * 86_400_000).toISOString() },
    /restarted every/,
  ],
  ['work that ends before it begins', schedule(debian, { workFrom: 20, workTo: 8 }), /work from/],
  ['a locale that is none', { ...debian, locale: 'german' }, /locale/],
]
