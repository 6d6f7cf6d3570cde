import t from 'tap'
import { answererIn, claimIn } from '../../../agent/decoys/arp-line.ts'

// Lines as tcpdump 4.99 prints them with -l -n -e -t.
const from = 'ee:70:62:e4:4e:c5'
const head = `${from} > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42:`

t.test('claims are told from questions', async (t) => {
  const claim = { ip: '198.18.51.9', mac: from }
  for (const [line, expected] of [
    [`${head} Request who-has 198.18.51.9 (ff:ff:ff:ff:ff:ff) tell 198.18.51.9, length 28`, claim],
    [`${head} Request who-has 198.18.51.1 tell 198.18.51.9, length 46`, claim],
    [`1795238388.972785 ${head} Request who-has 198.18.51.1 tell 198.18.51.9, length 46`, claim],
    [`${head} Reply 198.18.51.9 is-at EE:70:62:e4:4e:c5, length 28`, claim],
    [`${head} Request who-has 198.18.51.20 (ff:ff:ff:ff:ff:ff) tell 0.0.0.0, length 28`, undefined],
    ['listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes', undefined],
    [`${from} > ff:ff:ff:ff:ff:ff, ethertype IPv4 (0x0800), length 42: Reply 198.18.51.9 is-at ${from}`, undefined],
    ['', undefined],
  ] as const)
    t.same(claimIn(line), expected, line)
})

t.test('who answered a probe', async (t) => {
  t.equal(answererIn('Unicast reply from 198.18.51.9 [EE:70:62:E4:4E:C5]  0.542ms\n'), from)
  t.equal(answererIn('Sent 1 probes (1 broadcast(s))\nReceived 0 response(s)\n'), undefined)
})
