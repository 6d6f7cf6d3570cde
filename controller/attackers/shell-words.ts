/** One simple command: its words with quotes taken off, and the files its output is written to. */
export type SimpleCommand = { words: string[]; writes: string[] }

const longest = 4096
const deepest = 4
const wrappers = new Set([
  'sudo',
  'doas',
  'nohup',
  'setsid',
  'exec',
  'command',
  'builtin',
  'time',
  'nice',
  'ionice',
  'stdbuf',
  'busybox',
  'toybox',
  'env',
  'timeout',
  'xargs',
  'chroot',
  'then',
  'do',
  'else',
  'if',
  'while',
  'until',
  '!',
  '{',
  'su',
])
const shells = new Set(['sh', 'bash', 'ash', 'dash', 'zsh', 'ksh'])
/** Options of wrappers that take a value in the next word. */
const valued: Record<string, ReadonlySet<string>> = {
  sudo: new Set(['-u', '-g', '-h', '-p', '-C']),
  nice: new Set(['-n']),
  ionice: new Set(['-c', '-n', '-p']),
  timeout: new Set(['-s', '-k']),
  xargs: new Set(['-I', '-n', '-P', '-L', '-d', '-s']),
  env: new Set(['-u', '-C', '-S']),
  doas: new Set(['-u']),
}

/**
 * The simple commands in a line of shell, those within `$(…)`, backquotes, `sh -c '…'` and `eval` included. One pass
 * over at most 4,096 characters, to a depth of 4; what is not shell gives words all the same: attackers type anything.
 */
export function simpleCommands(line: string, depth = 0): SimpleCommand[] {
  const { commands, nested } = split(line.slice(0, longest))
  const found: SimpleCommand[] = []
  for (const command of commands) {
    const bare = unwrapped(command)
    found.push(bare)
    const script = scriptOf(bare.words)
    if (script !== undefined) nested.push(script)
  }
  if (depth < deepest) for (const inner of nested) found.push(...simpleCommands(inner, depth + 1))
  return found.filter(({ words, writes }) => words.length > 0 || writes.length > 0)
}

/** The program's name without its folder. */
export const programOf = ({ words }: SimpleCommand): string => words[0]?.replace(/^.*\//, '') ?? ''

function unwrapped({ words, writes }: SimpleCommand): SimpleCommand {
  let at = 0
  for (;;) {
    const word = words[at]
    if (word === undefined) break
    if (/^[A-Za-z_][A-Za-z0-9_]{0,63}=/.test(word)) {
      at += 1
      continue
    }
    const name = word.replace(/^.*\//, '')
    if (!wrappers.has(name) || at === words.length - 1) break
    const start = at
    at += 1
    while (words[at]?.startsWith('-')) at += valued[name]?.has(words[at] ?? '') ? 2 : 1
    if (name === 'timeout' || name === 'chroot') at += 1
    // A wrapper with nothing behind it is itself the command (`env`, `sudo -l`, `su root`).
    if (words[at] === undefined || name === 'su') return { words: words.slice(start), writes }
  }
  return { words: words.slice(at), writes }
}

function scriptOf(words: readonly string[]): string | undefined {
  const name = words[0]?.replace(/^.*\//, '') ?? ''
  if (name === 'eval') return words.slice(1).join(' ')
  if (!shells.has(name) && name !== 'su') return undefined
  const option = words.findIndex((word) => /^-[a-z]{0,8}c$/.test(word))
  return option < 0 ? undefined : words[option + 1]
}

type Quote = '"' | "'" | undefined

function split(line: string): { commands: SimpleCommand[]; nested: string[] } {
  const commands: SimpleCommand[] = []
  const nested: string[] = []
  let current: SimpleCommand = { words: [], writes: [] }
  let word: string | undefined
  let quote: Quote
  let writing = false

  const endWord = () => {
    if (word === undefined) return
    if (writing) current.writes.push(word)
    else current.words.push(word)
    word = undefined
    writing = false
  }
  const endCommand = () => {
    endWord()
    if (current.words.length > 0 || current.writes.length > 0) commands.push(current)
    current = { words: [], writes: [] }
    writing = false
  }

  for (let at = 0; at < line.length; at++) {
    const c = line[at] as string
    if (quote === "'") {
      if (c === "'") quote = undefined
      else word = (word ?? '') + c
    } else if (c === '\\') {
      at += 1
      if (line[at] !== '\n') word = (word ?? '') + (line[at] ?? '')
    } else if (c === '`' || (c === '$' && line[at + 1] === '(')) {
      const from = at + (c === '`' ? 1 : 2)
      const to = c === '`' ? closing(line, from, '`') : closing(line, from, ')')
      nested.push(line.slice(from, to))
      word = (word ?? '') + line.slice(at, to + 1)
      at = to
    } else if (quote === '"') {
      if (c === '"') quote = undefined
      else word = (word ?? '') + c
    } else if (c === '"' || c === "'") {
      quote = c
      word ??= ''
    } else if (c === ' ' || c === '\t') {
      endWord()
    } else if (c === '>') {
      if (word !== undefined && /^[0-9&]$/.test(word)) word = undefined
      endWord()
      while (line[at + 1] === '>' || line[at + 1] === '|') at += 1
      if (line[at + 1] === '&') at += 2
      else writing = true
    } else if (c === '<') {
      endWord()
    } else if (c === '#' && word === undefined) {
      while (at + 1 < line.length && line[at + 1] !== '\n') at += 1
    } else if (';|&\n\r()'.includes(c)) {
      endCommand()
    } else {
      word = (word ?? '') + c
    }
  }
  endCommand()
  return { commands, nested }
}

function closing(line: string, from: number, mark: ')' | '`'): number {
  let open = 1
  let quoted = false
  for (let at = from; at < line.length; at++) {
    const c = line[at]
    if (c === '\\') at += 1
    else if (c === "'" && mark === ')') quoted = !quoted
    else if (quoted) continue
    else if (c === '(' && mark === ')') open += 1
    else if (c === mark) {
      open -= 1
      if (open === 0) return at
    }
  }
  return line.length
}
