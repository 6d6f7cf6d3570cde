import { z } from 'zod'
import rulesFile from './command-rules.json' with { type: 'json' }
import { programOf, type SimpleCommand, simpleCommands } from './shell-words.ts'

/** What commands may be evidence of, the gravest last. */
export const commandKinds = [
  'command.other',
  'command.discovery',
  'command.execution',
  'command.evasion',
  'command.scan',
  'command.credentials',
  'command.download',
  'command.lateral',
  'command.persistence',
  'command.destructive',
] as const
export type CommandKind = (typeof commandKinds)[number]

/**
 * A rule holds for a simple command when all that it names holds: the program is one of `programs`, its path matches
 * `program`, some other word matches `words`, a file written to matches `writes`, and no word matches `unless`.
 * Patterns have bounded repetition only and see at most 256 characters of a word, so that no input makes them slow.
 */
const rule = z.strictObject({
  kind: z.enum(commandKinds),
  technique: z.string().regex(/^T\d{4}(\.\d{3})?$/),
  programs: z.array(z.string()).min(1).optional(),
  program: z.string().optional(),
  words: z.string().optional(),
  writes: z.string().optional(),
  unless: z.string().optional(),
})
export const commandRules = z.strictObject({ rules: z.array(rule) })

export type Classified = { kind: CommandKind; technique?: string }
export type Classify = (line: string) => Classified[]

const longestWord = 256

/** Classes of what a line of shell does, each once, with the ATT&CK technique of the first rule that told it. */
export function makeClassifier(rules: z.infer<typeof commandRules>): Classify {
  const compiled = rules.rules.map((one) => ({
    ...one,
    programs: one.programs && new Set(one.programs),
    program: one.program === undefined ? undefined : new RegExp(one.program),
    words: one.words === undefined ? undefined : new RegExp(one.words),
    writes: one.writes === undefined ? undefined : new RegExp(one.writes),
    unless: one.unless === undefined ? undefined : new RegExp(one.unless),
  }))
  type Compiled = (typeof compiled)[number]

  const holds = (one: Compiled, command: SimpleCommand): boolean => {
    const arguments_ = command.words.slice(1)
    if (one.programs && !one.programs.has(programOf(command))) return false
    if (one.program && !fits(one.program, command.words[0] ?? '')) return false
    if (one.words && !arguments_.some((word) => fits(one.words as RegExp, word))) return false
    if (one.writes && !command.writes.some((word) => fits(one.writes as RegExp, word))) return false
    return !(one.unless && arguments_.some((word) => fits(one.unless as RegExp, word)))
  }

  return (line) => {
    const found = new Map<CommandKind, Classified>()
    for (const command of simpleCommands(line))
      for (const one of compiled)
        if (!found.has(one.kind) && holds(one, command))
          found.set(one.kind, { kind: one.kind, technique: one.technique })
    return found.size === 0 ? [{ kind: 'command.other' }] : [...found.values()]
  }
}

const fits = (pattern: RegExp, word: string) => pattern.test(word.slice(0, longestWord))

/** The rules that come with the program. */
export const shippedRules = (): z.infer<typeof commandRules> => commandRules.parse(rulesFile)
