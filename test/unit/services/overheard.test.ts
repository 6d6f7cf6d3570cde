import { execFileSync } from 'node:child_process'
import t from 'tap'
import { packages } from './running.ts'

/** A question to all of a link, from a port, as a kind hears it: what goes to the group, and what to the asker alone. */
const program = `
import json, sys
from types import SimpleNamespace as Of
from marshlight_services.registry import kind_of
from marshlight_services.persona import Service
persona = Of(hostname='Store-1', domain='', full_name='Store-1', services=())
told = []
for name, port, asker, product, data in json.load(sys.stdin):
    session = Of(host=Of(control=Of(persona=persona)), source=('198.18.1.9', asker), target=('198.18.1.7', port), tell=None, odd=None)
    session.tell = session.odd = lambda *a, **b: None
    kind = kind_of(name)
    service = Service(name, port, product, '')
    heard = [say(bytes.fromhex(data), service, session) if say else None for say in (kind.to_group, kind.to_asker)]
    told.append([one and one.hex() for one in heard])
print(json.dumps(told))`

const name = '0773746f72652d31'
const dns = (rest: string, flags = '0000') => `abcd${flags}0001000000000000${rest}`
const address = 'c6120107'
const netbios = (letters: string) => dns(`20${Buffer.from(letters).toString('hex')}0000200001`, '0110')
const own = `FDFEEPFCEFCNDB${'CA'.repeat(8)}AA`

const cases: [string, number, number, string, string, (RegExp | null)[]][] = [
  ['mdns', 5353, 5353, 'Avahi', dns(`${name}056c6f63616c0000010001`), [new RegExp(`^00008400.*${address}$`), null]],
  ['mdns', 5353, 40000, 'Avahi', dns(`${name}056c6f63616c0000010001`), [null, new RegExp(`^abcd8400.*${address}$`)]],
  [
    'llmnr',
    5355,
    40000,
    'Windows',
    dns(`${name}0000010001`),
    [null, new RegExp(`^abcd80000001.*0000001e0004${address}$`)],
  ],
  ['llmnr', 5355, 40000, 'Windows', dns(`${name}00001c0001`), [null, /^abcd800000010000/]],
  ['llmnr', 5355, 40000, 'Windows', dns('056f7468657200000100 01'.replace(' ', '')), [null, null]],
  ['llmnr', 5355, 40000, 'Windows', dns(`${name}0000010001`, '8000'), [null, null]],
  ['netbios', 137, 137, 'Samba', netbios(own), [null, new RegExp(`^abcd8580.*0003f48000060000${address}$`)]],
  ['netbios', 137, 137, 'Windows', netbios(own), [null, new RegExp(`^abcd8500.*000493e000060000${address}$`)]],
  ['netbios', 137, 137, 'Windows', netbios(own.replace('FD', 'FE')), [null, null]],
  ['netbios', 137, 137, 'Windows', dns(`20${Buffer.from(own).toString('hex')}0000210001`), [null, null]],
]

t.test(
  'what neighbours ask all of a link is answered as that kind of host does, and only for its own names',
  async (t) => {
    const input = JSON.stringify(cases.map((one) => one.slice(0, 5)))
    const env = { ...process.env, PYTHONPATH: packages }
    const told = JSON.parse(execFileSync('python3', ['-B', '-c', program], { input, env, encoding: 'utf8' }))
    for (const [at, [kind, , asker, product, , wanted]] of cases.entries())
      for (const [way, like] of wanted.entries()) {
        const words = `${kind} ${product} from ${asker}, ${way === 0 ? 'to all' : 'to the asker'} (${at})`
        if (like === null) t.equal(told[at][way], null, words)
        else t.match(told[at][way], like, words)
      }
  },
)
