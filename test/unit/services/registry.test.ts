import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import type { PersonaService, ServiceKind } from '../../../shared/schemas/persona.ts'
import { containersOf, serviceFaults, serviceRegistry, servicesFaults } from '../../../shared/services.ts'
import { packages } from './running.ts'

const service = (kind: ServiceKind, more: Partial<PersonaService> = {}): PersonaService => ({
  ...{ kind, port: serviceRegistry[kind].port, product: 'x', version: '1', settings: {} },
  ...more,
})
const none = { ssh: undefined, telnet: undefined }

t.test('the container knows exactly the kinds that the contract names, over the same protocol', (t) => {
  const program = [
    'import json',
    'from marshlight_services.registry import DATAGRAMS, STREAMS, kind_of',
    'print(json.dumps({"tcp": sorted(STREAMS), "udp": sorted(DATAGRAMS)}))',
    'assert all(kind_of(name) is not None for name in (*STREAMS, *DATAGRAMS))',
  ].join('\n')
  const told = JSON.parse(
    execFileSync('python3', ['-B', '-c', program], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: packages },
    }),
  )
  const kinds = (proto: string) =>
    Object.entries(serviceRegistry)
      .filter(([, one]) => one.proto === proto)
      .map(([kind]) => kind)
      .sort()
  t.same(told, { tcp: kinds('tcp'), udp: kinds('udp') })
  t.end()
})

t.test('Cowrie’s container, which reads the same persona, refuses none of the kinds', (t) => {
  const program = 'import json; from marshlight_cowrie.persona_host import KINDS; print(json.dumps(sorted(KINDS)))'
  const images = join(import.meta.dirname, '../../../images')
  const path = ['cowrie', 'common'].map((name) => join(images, name)).join(':')
  const told = execFileSync('python3', ['-B', '-c', program], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: path },
  })
  t.same(JSON.parse(told), Object.keys(serviceRegistry).sort())
  t.end()
})

t.test('settings are those of the kind', (t) => {
  t.same(serviceFaults(service('http', { settings: { title: 'Files', realm: 'NAS' } })), [])
  t.match(serviceFaults(service('http', { settings: { titel: 'Files' } })), [/titel/])
  t.match(serviceFaults(service('smb', { settings: { dialect: '4.0' } })), [/dialect/])
  t.match(serviceFaults(service('ftp', { pages: [{ path: '/', status: 200, type: 'a/b', body: '' }] })), [/no pages/])
  t.end()
})

t.test('no two services of a host want one port', (t) => {
  t.same(servicesFaults({ ...none, services: [service('http'), service('https'), service('ntp')] }), [])
  t.match(servicesFaults({ ...none, services: [service('http'), service('winrm', { port: 80 })] }), [/tcp 80/])
  t.same(servicesFaults({ ...none, services: [service('netbios'), service('smb', { port: 137 })] }), [], 'UDP is apart')
  t.end()
})

t.test('a persona is played by the containers it needs', (t) => {
  const telnet = { banner: '', loginPrompt: '', passwordPrompt: '' }
  t.same(containersOf({ ...none, telnet, services: undefined }), ['cowrie'])
  t.same(containersOf({ ...none, services: [service('rdp')] }), ['services'])
  t.same(containersOf({ ...none, telnet, services: [service('snmp')] }), ['cowrie', 'services'])
  t.end()
})
