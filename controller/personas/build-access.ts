import { pickWeighted, type Random } from '../../shared/random.ts'
import type { PersonaSsh } from '../../shared/schemas/persona.ts'
import { algorithmsOf, type Catalogue } from './catalogue.ts'
import { type Neighbour, sshBannerOf } from './neighbours.ts'
import type { Template } from './template.ts'

/** The very version that neighbours of the kind run, if it is known how that version behaves; else one of the packages. */
export function sshOf(catalogue: Catalogue, template: Template, alike: readonly Neighbour[], random: Random) {
  if (!template.ssh) return undefined
  const seen = new Map<string, number>()
  for (const banner of alike.map(sshBannerOf))
    if (banner !== undefined && algorithmsOf(catalogue, template, banner)) seen.set(banner, (seen.get(banner) ?? 0) + 1)
  const banner =
    seen.size > 0
      ? pickWeighted(random, [...seen])
      : pickWeighted(
          random,
          template.ssh.packages.map((one) => [one.banner, one.weight] as const),
        )
  const algorithms = algorithmsOf(catalogue, template, banner)
  if (!algorithms) throw new Error(`no algorithms are known for ${banner}`)
  const ssh: PersonaSsh = { banner, ...algorithms, maxAuthTries: template.ssh.maxAuthTries }
  const count = seen.get(banner)
  return {
    ssh,
    because:
      count === undefined
        ? `${banner} is a package of ${template.label}; no neighbour shows another`
        : `${count} ${count === 1 ? 'neighbour runs' : 'neighbours run'} this very version (${banner})`,
  }
}

/** Offered as often as neighbours of the kind offer it; always where there is no SSH. */
export function telnetOf(template: Template, alike: readonly Neighbour[], drawn: number) {
  if (!template.telnet) return undefined
  const offering = alike.filter(({ ports }) => ports.some(({ port, service }) => port === 23 || service === 'telnet'))
  const share = offering.length > 0 ? offering.length / alike.length : template.telnet.share
  if (template.ssh !== null && drawn >= share) return undefined
  return {
    text: template.telnet.text,
    because:
      offering.length > 0
        ? `${offering.length} of ${alike.length} neighbours of the kind offer telnet`
        : `such systems often offer telnet`,
  }
}
