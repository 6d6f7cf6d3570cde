/**
 * What may differ between two machines of one kind, and is made the same before outputs are compared. Each has its
 * reason; nothing else is touched.
 */
type Normaliser = { because: string; when?: RegExp; apply(text: string): string }

const numbersOf = (text: string) => text.replace(/\d+(?:[.,]\d+)?/g, 'N').replace(/ +/g, ' ')

export const normalisers: readonly Normaliser[] = [
  {
    because: 'each host has an address and a MAC of its own',
    apply: (text) =>
      text
        .replace(/198\.18\.\d+\.\d+/g, 'ADDRESS')
        .replace(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, 'MAC')
        .replace(/\bfe80::[0-9a-f:]+/g, 'LINKLOCAL')
        .replace(/172\.17\.\d+\.\d+/g, 'ADDRESS'),
  },
  {
    because: 'the lines are run on one host after the other: times of the clock differ',
    when: /^(date|w\b|uptime|top|ls|last|who|stat|tar|diff)|date|ls -/,
    apply: (text) => text.replace(/\b\d{1,2}:\d\d:\d\d(?:\.\d+)?\b/g, 'TIME').replace(/\b\d{1,2}:\d\d\b/g, 'TIME'),
  },
  {
    because: 'two machines have other amounts of memory and disk in use, other counters and other loads',
    when: /\b(free|df|uptime|top|ip -s|ifconfig|netstat -i)\b|meminfo|loadavg|net\/dev/,
    apply: (text) =>
      numbersOf(text)
        .replace(/\bN ?[KMGT]?i?B?\b/g, 'N')
        .replace(/\b(?:overlay|\/dev\/\w+)\b/g, 'DISK'),
  },
  {
    because: 'process ids and terminals are given out as they come',
    when: /\b(ps|pgrep|pidof|ss|netstat)\b/,
    apply: (text) => text.replace(/\b(pid=|fd=)\d+/g, '$1N').replace(/^ *\d+ (?=\S)/gm, 'PID '),
  },
  {
    because:
      'the host that is imitated runs in a container, whose interface is one end of a pair and has an index of its own',
    when: /\bip\b/,
    apply: (text) =>
      text
        .replace(/@if\d+/g, '')
        .replace(/^\d+: eth0/gm, 'I: eth0')
        .replace(/ link-netnsid \d+/g, ''),
  },
  {
    because: 'a folder is listed by find in the order of its disk, which no two machines share',
    when: /\bfind\b/,
    apply: (text) =>
      text
        .split(/(?<=[\n\0])/)
        .sort()
        .join(''),
  },
  {
    because: 'the engine gives a container a resolver of its own, on a port that changes',
    when: /\b(ss|netstat)\b/,
    apply: (text) => text.replace(/^.*127\.0\.0\.11:.*\n/gm, ''),
  },
]

/** `line` is the command line, which says what kind of text this is. */
export function normalised(line: string, text: string): string {
  let made = text
  for (const { when, apply } of normalisers) if (when === undefined || when.test(line)) made = apply(made)
  return made
}
