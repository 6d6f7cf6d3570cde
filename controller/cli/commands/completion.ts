import type { Command } from 'commander'
import type { CliCommand } from '../context.ts'

/** `marshlight completion bash|zsh`: a script that completes commands and options; made from the program itself. */
export const completionCommand: CliCommand = (program, cli) => {
  program
    .command('completion')
    .description('print a shell completion script')
    .argument('[shell]', 'bash or zsh', 'bash')
    .addHelpText('after', '\nExample:\n  marshlight completion bash > /etc/bash_completion.d/marshlight')
    .action((shell: string) => {
      if (shell === 'zsh') cli.line('autoload -U +X bashcompinit && bashcompinit')
      cli.line(script(program))
    })
}

function script(program: Command): string {
  const cases = walk(program, []).map(([path, words]) => `    '${path}') words='${words.join(' ')}' ;;`)
  return `_marshlight() {
  local path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _marshlight marshlight`
}

function walk(command: Command, path: string[]): [string, string[]][] {
  const words = [
    ...command.commands.map((child) => child.name()),
    ...command.options.map((option) => option.long ?? option.short ?? ''),
    '--help',
  ]
  return [[path.join(' '), words], ...command.commands.flatMap((child) => walk(child, [...path, child.name()]))]
}
