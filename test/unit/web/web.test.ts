import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { PersonaService } from '../../../shared/schemas/persona.ts'
import { containerOf, containersOf } from '../../../shared/services.ts'

const images = join(import.meta.dirname, '../../../images')
const page = { path: '/', status: 200, type: 'text/html', body: '' }
const site = (product: string, settings: PersonaService['settings'] = {}, pages = [page]): PersonaService => ({
  ...{ kind: 'http', port: 80, product, version: '1', settings, pages },
})
const python = (...args: string[]) =>
  execFileSync('python3', ['-B', ...args], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: ['common', 'services', 'web'].map((name) => join(images, name)).join(':') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

t.test('who plays a site is the same to the controller and to the containers', (t) => {
  const cases = [
    site('nginx'),
    site('Apache'),
    { ...site('Apache httpd', { flavour: 'apache' }), kind: 'https' as const },
    site('nginx', { server: 'nginx', realm: 'x' }),
    site('nginx', { server: '' }),
    site('nginx', { server: 'a\nb' }),
    site('nginx', { auth: 'digest' }),
    site('nginx', { flavour: 'embedded' }),
    site('nginx', {}, [{ ...page, status: 403 }]),
    site('lighttpd'),
    site('Microsoft IIS httpd', { flavour: 'iis' }),
    { ...site('nginx'), kind: 'ftp' as const },
  ]
  const program = `
import json, sys
from marshlight_services.beside import real_server
from marshlight_services.persona import service_of
print(json.dumps([real_server(service_of(one)) for one in json.loads(sys.argv[1])]))`
  const flavours = JSON.parse(python('-c', program, JSON.stringify(cases))) as (string | null)[]
  t.same(flavours.slice(0, 5), ['nginx', 'apache', 'apache', 'nginx', null])
  t.same(
    cases.map(containerOf),
    flavours.map((flavour) => (flavour === null ? 'services' : 'web')),
  )
  const none = { ssh: undefined, telnet: undefined }
  t.same(containersOf({ ...none, services: [site('nginx')] }), ['web'])
  t.same(containersOf({ ...none, services: [site('nginx'), site('lighttpd')] }), ['services', 'web'])
  t.end()
})

t.test('the image has the modules that the configuration loads', async (t) => {
  const gathered = /^modules='([^']*)'/m.exec(await readFile(join(images, 'web/gather.sh'), 'utf8'))?.[1]
  const program = 'from marshlight_web.apache import MODULES, TLS_MODULES; print(*sorted((*MODULES, *TLS_MODULES)))'
  t.same(gathered?.trim().split(/\s+/).sort(), python('-c', program).trim().split(' '))
})

t.test('records, requests and configurations', (t) => {
  t.doesNotThrow(() => python(join(import.meta.dirname, 'web_test.py')))
  t.end()
})
