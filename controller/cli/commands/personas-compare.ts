import type { Command } from 'commander'
import { MarshlightError } from '../../../shared/errors.ts'
import type { Persona } from '../../../shared/schemas/persona.ts'
import type { Refused } from '../../personas/index.ts'
import type { CliContext } from '../context.ts'

/** Commands that only look: template files, differences, what would be built. */
export function personaComparisons(personas: Command, cli: CliContext): void {
  personas
    .command('validate <file...>')
    .description('check template files; needs no running controller')
    .addHelpText('after', '\nExample:\n  marshlight personas validate /var/lib/marshlight/templates/*.json')
    .action(async (files: string[]) => {
      // Loaded here, since the other commands need none of it.
      const { checkTemplate, readCatalogue } = await import('../../personas/index.ts')
      let catalogue = readCatalogue()
      const items = files.map((file) => {
        const checked = checkTemplate(file, catalogue)
        if ('faults' in checked) return { file, faults: checked.faults }
        // A later file may extend an earlier one, as in the folder of templates.
        catalogue = { ...catalogue, templates: [...catalogue.templates, checked.template] }
        return { file, id: checked.template.id, faults: [] as Refused[] }
      })
      cli.show({ items }, () => {
        for (const { file, id, faults } of items) {
          if (faults.length === 0) cli.details([['good', `${file}: ${id}`]])
          for (const { path, value, why, next } of faults) {
            cli.details([
              ['refused', file],
              ['at', path],
              ['value', value],
              ['because', why],
              ['next', next],
            ])
            cli.line('')
          }
        }
      })
      const bad = items.filter(({ faults }) => faults.length > 0)
      if (bad.length > 0)
        throw new MarshlightError('CONFLICT', {
          what: `${bad.length} of ${items.length} files are refused`,
          next: 'Mend them; docs/personas.md says what a template holds.',
        })
    })

  personas
    .command('diff <a> <b>')
    .description('where two personas, or two versions of one (web07@1), differ')
    .addHelpText(
      'after',
      '\nExamples:\n  marshlight personas diff web07@1 web07@2\n  marshlight personas diff web07 db02',
    )
    .action(async (a: string, b: string) => {
      const { differences } = await import('../../personas/index.ts')
      const [one, other] = [await bodyOf(a), await bodyOf(b)]
      const title = ({ hostname, version }: Persona) => `${hostname}@${version}`
      cli.show({ items: differences(one, other) }, ({ items }) => {
        if (items.length === 0) cli.line(`${title(one)} and ${title(other)} are equal.`)
        else
          cli.table(
            ['FIELD', title(one), title(other)],
            items.map((each) => [each.field, each.a, each.b]),
          )
      })
    })

  personas
    .command('preview <segment>')
    .description('what a decoy of the segment could be now; nothing is kept')
    .option('--family <id>', 'of this family (see `personas catalogue`)')
    .addHelpText('after', '\nExample:\n  marshlight personas preview office --family web-server-debian-12')
    .action(async (segment: string, { family }: { family?: string }) => {
      const query = new URLSearchParams({ segment, ...(family !== undefined && { family }) })
      const path = `/v1/persona-previews?${query}`
      cli.show(await cli.api.get<{ segment: string; persona: Persona }>(path), ({ persona }) => {
        const { hostname, family: chosen, os, ssh, telnet, services = [], files = [], honey = [] } = persona
        cli.details([
          ['host', `${hostname} (${chosen})`],
          ['system', `${os.prettyName}, ${os.kernel.release}`],
          ['SSH', ssh?.banner],
          ['telnet', telnet ? 'yes' : 'no'],
          ['services', services.map(({ kind, port }) => `${kind} ${port}`).join(', ') || 'none'],
          ['files', `${files.length}, with ${honey.length} honey-credentials`],
        ])
        cli.line('')
        cli.details(persona.reasons.map(({ field, because }) => [field, because] as const))
        cli.line('Nothing was kept: another call draws another.')
      })
    })

  /** `web07@3`: the third version of what web07 pretends to be. */
  async function bodyOf(text: string): Promise<Persona> {
    const [, ref = text, version] = /^(.+)@(\d+)$/.exec(text) ?? []
    const query = version === undefined ? '' : `?version=${version}`
    return (await cli.api.get<{ persona: Persona }>(`/v1/personas/${encodeURIComponent(ref)}${query}`)).persona
  }
}
