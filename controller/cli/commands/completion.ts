import type { Command } from 'commander'
import type { CliCommand } from '../context.ts'

/** `marshlight completion bash|zsh`: a script that completes commands and options; made from the program itself. */
export const completionCommand: CliCommand = (program, cli) => {
  program
    .command('completion')
    .description('print a shell completion script')
    .argument('[shell]', 'bash or zsh', 'bash')
    .addHelpText(
      'after',
      '\nExamples:\n  marshlight completion bash > /etc/bash_completion.d/marshlight\n  source <(marshlight completion zsh)',
    )
    .action((shell: string) => {
      if (shell === 'zsh') cli.line('autoload -U +X bashcompinit && bashcompinit')
      cli.line(completionScript(program))
    })
}

/**
 * The words before the one that is completed are walked through: a command of where we are goes down into it, the value
 * of an option is passed over, and any other word is an argument and leaves us where we are. Where a value or an
 * argument is due the shell's own completion of files steps in. COMP_WORDS has `=` as a word of its own.
 */
export function completionScript(program: Command): string {
  const places = walk(program, '').map(
    ({ path, goes, offers, takes }) =>
      `    '${path}')\n      offers='${offers.join(' ')}' takes=' ${takes.join(' ')} '\n${goes
        .map(([words, to]) => `      case "$1" in ${words.join(' | ')}) at='${to}' ;; esac\n`)
        .join('')}      ;;`,
  )
  const choices = choicesOf(program).map(([option, words]) => `    ${option}) offers='${words.join(' ')}' ;;`)
  return `_marshlight_step() {
  case "$at" in
${places.join('\n')}
  esac
}
_marshlight() {
  local at='' offers='' takes='' word='' value=''
  _marshlight_step ''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ "$word" = '=' ]; then continue; fi
    if [ -n "$value" ]; then value=''; continue; fi
    case "$word" in
      -*) case "$takes" in *" $word "*) value=$word ;; esac ;;
      *) _marshlight_step "$word"; _marshlight_step '' ;;
    esac
  done
  case "$value" in
    '') ;;
${choices.join('\n')}
    *) offers='' ;;
  esac
  word=\${COMP_WORDS[COMP_CWORD]}
  if [ "$word" = '=' ]; then word=''; fi
  COMPREPLY=($(compgen -W "$offers" -- "$word"))
}
complete -o default -F _marshlight marshlight`
}

type Place = { path: string; goes: [string[], string][]; offers: string[]; takes: string[] }

/** Each command, with those below it by all of their names, what is offered there, and which options take a value. */
function walk(command: Command, path: string): Place[] {
  const children = command.commands.map((child) => ({ child, to: `${path} ${child.name()}`.trimStart() }))
  const options = optionsAt(command)
  const names = (some: readonly { long?: string; short?: string }[]) =>
    some.flatMap(({ long, short }) => [long, short].filter((name) => name !== undefined))
  const here: Place = {
    path,
    goes: children.map(({ child, to }) => [[child.name(), ...child.aliases()], to]),
    offers: [
      ...new Set([
        ...children.map(({ child }) => child.name()),
        ...options.map(({ long, short }) => long ?? short ?? ''),
        '--help',
      ]),
    ],
    takes: [...new Set(names(options.filter(({ required, optional }) => required || optional)))],
  }
  return [here, ...children.flatMap(({ child, to }) => walk(child, to))]
}

/** Its own, those of the list that a group stands for, and those of all above it. */
function optionsAt(command: Command): Command['options'][number][] {
  const list = command.commands.find((child) => command.parent !== null && child.name() === 'ls')
  const above: Command['options'][number][] = []
  for (let at = command.parent; at; at = at.parent) above.push(...at.options)
  return [...command.options, ...(list?.options ?? []), ...above]
}

/** Options with a fixed set of values; such a name means the same set wherever it stands. */
function choicesOf(command: Command): [string, string[]][] {
  const own = command.options.flatMap(({ long, argChoices }): [string, string[]][] =>
    long && argChoices ? [[long, argChoices]] : [],
  )
  return [...new Map([...own, ...command.commands.flatMap(choicesOf)])]
}
