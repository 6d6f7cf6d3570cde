import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '../../shared/files.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'

const secretSetting = /pass|secret|community|key|token/i

/** Every secret that this box holds, so that none of them leaves it in what people are sent: keys, and what opens decoys. */
export async function secretsHere(stateDir: string, plan: Plan | undefined): Promise<string[]> {
  const folder = join(stateDir, 'identity')
  const names = await readdir(folder).catch(() => [])
  const texts = await Promise.all(names.map((name) => readIfThere(join(folder, name)).catch(() => undefined)))
  const keys = texts.filter((text) => text?.includes('PRIVATE KEY')).flatMap((text) => (text ? pemIn(text) : []))
  return [...keys, ...(plan ? planted(plan) : [])]
}

/** The body of each private key in a text, also of one within JSON, line by line. */
const pemIn = (text: string): string[] =>
  [...text.replaceAll('\\n', '\n').matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----([\s\S]*?)-----END/g)].map(
    ([, body]) => body ?? '',
  )

/** What stands on decoys to be found: whoever reads it in a bundle could be taken for who stole it. */
const planted = ({ personas }: Plan): string[] =>
  personas.flatMap(({ users, honey = [], services = [] }) => [
    ...users.flatMap(({ passwords }) => passwords),
    ...honey.map(({ password }) => password),
    ...services.flatMap(({ settings }) =>
      Object.entries(settings).flatMap(([name, value]) =>
        secretSetting.test(name) && typeof value === 'string' ? [value] : [],
      ),
    ),
  ])
