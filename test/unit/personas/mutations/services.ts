import { cache, database, type Mutation, processless, web, windows, within } from './subjects.ts'

/** Services against processes, packages, the family and each other. */
export const servicesMutations: readonly Mutation[] = [
  [
    'a service without its process',
    processless(web, web.services?.[0]?.product === 'nginx' ? 'nginx' : 'apache2'),
    /without its process/,
  ],
  [
    'a service without its package',
    { ...web, packages: (web.packages ?? []).filter(({ name }) => !/^(nginx|apache2)$/.test(name)) },
    /not installed/,
  ],
  [
    'another version than the installed',
    within(
      web,
      'services',
      () => true,
      (one) => ({ ...one, version: '1.0.1' }),
    ),
    /installed is/,
  ],
  [
    'a service the family has not',
    {
      ...web,
      services: [...(web.services ?? []), { kind: 'rdp', port: 3389, product: 'x', version: '1', settings: {} }],
    },
    /offers no/,
  ],
  ['two services of one port', { ...web, services: [...(web.services ?? []), ...(web.services ?? [])] }, /both want/],
  [
    'a setting that its kind has not',
    within(
      web,
      'services',
      () => true,
      (one) => ({ ...one, settings: { colour: 'red' } }),
    ),
    /settings/,
  ],
  [
    'a page that is not the one on the disk',
    within(
      web,
      'files',
      ({ path }) => path.endsWith('index.html'),
      (one) => ({ ...one, content: 'other' }),
    ),
    /start page/,
  ],
  [
    'a greeting of another version',
    within(
      database,
      'services',
      ({ kind }) => kind === 'mysql',
      (one) => ({ ...one, settings: { ...one.settings, serverVersion: '8.0.36' } }),
    ),
    /greets as/,
  ],
  [
    'Redis that says it is local and is not',
    within(
      cache,
      'processes',
      ({ command }) => command.includes('redis'),
      (one) => ({ ...one, command: one.command.replace('*', '127.0.0.1') }),
    ),
    /Redis says/,
  ],
  [
    'another host’s NetBIOS name',
    within(
      windows,
      'services',
      ({ kind }) => kind === 'smb',
      (one) => ({ ...one, settings: { ...one.settings, netbiosName: 'OTHER' } }),
    ),
    /names OTHER/,
  ],
]
