import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeSegment, printed, run, spawnIn } from './namespace-segment.ts'

const files = join(import.meta.dirname, '../../provisioning/image/files')
const rules = join(files, 'firewall.nft')
const [box, page] = ['198.18.41.2', '169.254.41.2']
const ports = [22, 80, 2375]

/** What the box would have if somebody started more than is meant; and a client of DHCP, which says what comes. */
const services = `for (const port of ${JSON.stringify(ports)}) require('node:net').createServer((c)=>c.on('error',()=>{}).end()).listen(port,'0.0.0.0')
const udp=require('node:dgram').createSocket('udp4').on('message',(m)=>console.log('dhcp '+m)).bind(68,()=>console.log('up'))`
const look = `const all=process.argv.slice(1).map((at)=>new Promise((done)=>{const [host,port]=at.split(' ')
const c=require('node:net').connect({host,port:+port,timeout:700},()=>{c.destroy();done(at)})
c.on('error',()=>done()).on('timeout',()=>{c.destroy();done()})}))
Promise.all(all).then((open)=>console.log(JSON.stringify(open.filter(Boolean))))`
const send = (port: number, word: string) =>
  `const s=require('node:dgram').createSocket('udp4');s.bind(${port},()=>s.send('${word}',68,'${box}',()=>s.close()))`

t.test(
  'nothing reaches the box but DHCP, its page at the page’s own address, and SSH where it is wanted',
  async (t) => {
    const segment = await makeSegment(t, 'fwl')
    const own = await segment.host('box', `${box}/24`)
    const neighbour = await segment.host('nbr', '198.18.41.9/24')
    const inside = (space: string, ...words: string[]) => run('ip', 'netns', 'exec', space, ...words)
    for (const [space, address] of [
      [own, page],
      [neighbour, '169.254.41.9'],
    ] as const)
      await run('ip', '-n', space, 'address', 'add', `${address}/16`, 'dev', 'seg0', 'scope', 'link')
    const running = spawnIn(own, process.execPath, '-e', services)
    await printed(running, /up/)
    const all = [box, page].flatMap((ip) => ports.map((port) => `${ip} ${port}`))
    const open = async (from = neighbour) => JSON.parse(await inside(from, process.execPath, '-e', look, ...all))
    t.same(await open(), all, 'without it all of it is open')

    await inside(own, 'nft', '-c', '-f', rules)
    await inside(own, 'nft', '-f', rules)
    t.same(await open(), [`${page} 80`], 'with it only the page is')
    t.same(await open(own), all, 'the box reaches itself')
    const told = printed(running, /dhcp an answer/)
    await inside(neighbour, process.execPath, '-e', send(4067, 'no answer'))
    await inside(neighbour, process.execPath, '-e', send(67, 'an answer'))
    t.notMatch(await told, /no answer/, 'answers of DHCP come in, and nothing else to its port')
    await printed(spawnIn(neighbour, process.execPath, '-e', services.replace('68', '4068')), /up/)
    const outward = ['-e', look, '198.18.41.9 22']
    t.same(
      JSON.parse(await inside(own, process.execPath, ...outward)),
      ['198.18.41.9 22'],
      'and answers to what it asks',
    )

    const unit = readFileSync(join(files, 'marshlight-ssh.service'), 'utf8')
    const rule = (when: string) => new RegExp(`^${when}=(nft .*)$`, 'm').exec(unit)?.[1]?.split(' ') ?? []
    await inside(own, ...rule('ExecStartPre'))
    t.same(await open(), [`${box} 22`, `${page} 22`, `${page} 80`], 'SSH, as its unit opens it')
    await inside(own, ...rule('ExecStopPost'))
    t.same(await open(), [`${page} 80`], 'and shuts it')
  },
)
