import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Persona, PersonaService } from '../../shared/schemas/persona.ts'
import { personaOf } from './cowrie-persona.ts'
import { eventually } from './cowrie-pod.ts'
import { decoyOf, makeAppliance, planOf, settled } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'
import { answers, halfARequest, kept, realWebHost } from './web-real.ts'
import { ended, requests, words } from './web-requests.ts'

t.setTimeout(180_000)

const pages = [
  { path: '/', status: 200, type: 'text/html', body: '<!doctype html><title>files</title><h1>files</h1>\n' },
  { path: '/docs/', status: 200, type: 'text/html', body: '<p>docs</p>\n' },
]
const site = (kind: 'http' | 'https', port: number, product: string, version: string): PersonaService => ({
  ...{ kind, port, product, version, settings: {}, pages },
})
const sites = (nginx: string, apache: string) => [
  site('http', 80, 'nginx', nginx),
  site('https', 443, 'nginx', nginx),
  site('http', 8080, 'Apache httpd', apache),
  site('https', 8443, 'Apache httpd', apache),
]
const playing = (version: number, services: PersonaService[], more: Partial<Persona> = {}): Persona => ({
  ...personaOf('filer01', version),
  services,
  ...more,
})

const ports = [80, 443, 8080, 8443] as const

t.test('real servers in a decoy, beside a host that they came with', async (t) => {
  const segment = makeSegment(t)
  const { agent, engine, reported, decoys, stateDir } = await makeAppliance(t, segment)
  const decoy = decoyOf(segment, 20, 'filer01', { services: ['web'] })
  const out = join(stateDir, 'decoys', decoy.id, 'web')
  const bare = { ssh: undefined, telnet: undefined }
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(planOf(agent, 1, [decoy], [playing(1, sites('1.22.1', '2.4.71'), bare)]))
  t.match(await reported(settled(1)), { outcome: 'applied', count: 1 })
  t.match(JSON.parse(await readFile(join(out, 'out/status.json'), 'utf8')), { leftOut: [], revision: 1 })

  const heads = answers(segment, decoy.ip, [
    [80, 'HEAD / HTTP/1.0\r\n\r\n'],
    [80, 'HEAD /docs/ HTTP/1.0\r\n\r\n'],
  ])
  const dates = heads.map((head) => /Last-Modified: (.*)\r/.exec(head)?.[1] ?? '')
  const [changed = ''] = dates
  const key = readdirSync(join(out, 'state')).find((name) => name.endsWith('.pem')) ?? ''
  const real = await realWebHost(t, segment, 10, join(out, 'state', key), dates)

  await t.test('every answer is the same, byte for byte', async (t) => {
    const asked = ports.flatMap((port) =>
      requests.map((pieces): [number, ...string[]] => [port, ...pieces.map((one) => one.replaceAll('@', changed))]),
    )
    const [wanted, seen] = [answers(segment, real, asked), answers(segment, decoy.ip, asked)]
    for (const [i, [port, ...pieces]] of asked.entries())
      t.equal(ended(pieces, seen[i]), ended(pieces, wanted[i]), `${port} ${JSON.stringify(pieces).slice(0, 100)}`)
    t.match(wanted[0], /^HTTP\/1\.1 200 OK\r\nServer: nginx/, 'and they are answers')
  })

  await t.test('a scanner reads the same versions, methods, headers, ciphers', async (t) => {
    const scripts = 'http-headers,http-methods,http-title,http-server-header,ssl-enum-ciphers,ssl-cert,tls-alpn'
    const scan = ['-n', '-Pn', '-sV', '--version-light', '-p', ports.join(), '--script', scripts, decoy.ip, real]
    const told = segment.onNeighbour('nmap', ...scan).split('Nmap scan report for ')
    const of = (ip: string) => words(told.find((one) => one.startsWith(`${ip}\n`)) ?? '', ip)
    t.match(
      of(real).join('\n'),
      /nginx 1\.22[\s\S]*TLS_AKE_WITH_AES_256_GCM_SHA384[\s\S]*Apache httpd 2\.4.*\(\(Debian\)\)/,
    )
    t.same(of(decoy.ip), of(real))
  })

  await t.test('what was asked is told: requests, log-ins, uploads, what is no HTTP, also through TLS', async (t) => {
    const from = answers(segment, decoy.ip, [
      [
        443,
        'POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 29\r\nConnection: close\r\n\r\n',
        'username=root&password=Winter',
      ],
      [8443, 'GET / HTTP/1.0\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\nUser-Agent: probe/1\r\n\r\n'],
      [8080, 'PUT /shell.php HTTP/1.0\r\nContent-Length: 11\r\n\r\n<?php pwn();'],
      [80, 'nothing of the kind\r\n\r\n'],
    ])
    t.equal(from.length, 4)
    const events = await eventually(
      async () => {
        const text = await readFile(join(out, 'out/events/events-1.jsonl'), 'utf8')
        const told = text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>)
        return told.some(({ message }) => message === 'nothing of the kind') ? told : undefined
      },
      'the last of them is told',
      10,
    )
    const has = (fields: Record<string, unknown>) =>
      t.ok(
        events.some((one) => Object.entries(fields).every(([name, value]) => one[name] === value)),
        JSON.stringify(fields),
      )
    has({
      eventid: 'https.request',
      dst_port: 443,
      method: 'POST',
      url: '/login',
      body: 'username=root&password=Winter',
    })
    has({
      eventid: 'https.login.failed',
      username: 'root',
      password: 'Winter',
      dst_ip: decoy.ip,
      src_ip: segment.cidr.replace('0/24', '9'),
    })
    has({ eventid: 'https.login.failed', dst_port: 8443, username: 'admin', password: 'secret' })
    has({ eventid: 'https.request', dst_port: 8443, version: 'probe/1' })
    has({ eventid: 'http.file.upload', dst_port: 8080, url: '/shell.php', size: 11 })
    t.equal(readdirSync(join(out, 'out/files')).length > 0, true, 'the file can be fetched')
    const over = new Set(
      events.filter(({ eventid }) => /\.session\.close$/.test(String(eventid))).map(({ session }) => session),
    )
    const begun = events.filter(({ eventid }) => /\.session\.open$/.test(String(eventid)))
    t.ok(begun.length > 200 && begun.length - over.size < 6, `${begun.length} sessions, ${over.size} ended`)
  })

  await t.test(
    'one source gets so many connections of each server, and all of them again when it leaves',
    async (t) => {
      const { connectionsPerSource: most } = decoy.limits
      for (const port of [80, 8080, 80]) t.equal(kept(segment, decoy.ip, port, most + 4, most), most, `${port}`)
    },
  )

  await t.test('another version and other pages take effect while a request is under way', async (t) => {
    const before = (await engine.containers()).map(({ id, startedAt }) => ({ id, startedAt }))
    const finish = await Promise.all(
      ports.filter((port) => port % 10 === 0).map((port) => halfARequest(segment, decoy.ip, port)),
    )
    const ubuntu = { ...personaOf('filer01', 2).os, id: 'ubuntu', prettyName: 'Ubuntu 22.04.3 LTS' }
    const next = playing(2, sites('1.18.0', '2.4.52'), { ...bare, os: ubuntu })
    decoys.applyPlan(planOf(agent, 2, [{ ...decoy, personaVersion: 2 }], [next]))
    t.match(await reported(settled(2)), { outcome: 'applied' })
    for (const one of finish)
      t.match(await one(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*<h1>files/, 'who was in the middle is answered')
    const asked = ports.flatMap((port): [number, string][] =>
      ['GET / HTTP/1.0\r\n\r\n', 'GET /nothing HTTP/1.0\r\n\r\n', 'nonsense\r\n\r\n', 'GET /docs HTTP/1.0\r\n\r\n'].map(
        (one) => [port, one],
      ),
    )
    for (const [i, told] of answers(segment, decoy.ip, asked).entries()) {
      const [port = 0, request] = asked[i] ?? []
      const name = port < 1000 ? 'nginx/1.18.0 (Ubuntu)' : 'Apache/2.4.52 (Ubuntu)'
      t.match(told, `\r\nServer: ${name}\r\n`, `${port} ${request}`)
      t.notMatch(told, /1\.22\.1|2\.4\.71|Debian/)
      const length = Number(/Content-Length: (\d+)/.exec(told)?.[1])
      t.notMatch(told, /W3C/, 'which its error pages did not name yet')
      t.equal(told.split('\r\n\r\n').slice(1).join('\r\n\r\n').length - '<end>'.length, length, 'of that length')
    }
    t.same(
      (await engine.containers()).map(({ id, startedAt }) => ({ id, startedAt })),
      before,
      'nothing was started again',
    )
  })
  await t.test('a port goes over to what images/services plays, and back', async (t) => {
    const printer = { ...site('http', 80, 'HP HTTP Server', '1.0'), settings: { flavour: 'embedded' } }
    const turns: [string, PersonaService[], ('services' | 'web')[]][] = [
      ['HP HTTP Server', [printer, site('http', 8080, 'nginx', '1.22.1')], ['services', 'web']],
      ['nginx', [site('http', 80, 'nginx', '1.22.1'), { ...printer, port: 8080 }], ['services', 'web']],
    ]
    for (const [i, [name, services, containers]] of turns.entries()) {
      const revision = 3 + i
      const changed = { ...decoy, personaVersion: revision, services: containers }
      decoys.applyPlan(planOf(agent, revision, [changed], [playing(revision, services, bare)]))
      t.match(await reported(settled(revision)), { outcome: 'applied' })
      const named = async () =>
        answers(segment, decoy.ip, [[80, 'HEAD / HTTP/1.0\r\n\r\n']])[0]?.includes(`Server: ${name}`) || undefined
      t.ok(await eventually(named, `${name} on 80`, 15))
    }
  })
})
