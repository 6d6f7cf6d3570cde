import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NpmPackage } from './npm-lock.ts'

/** The licences of what is bundled, each package with the text it brings: their terms ask that it goes along. */
export async function notices(projectRoot: string, packages: readonly NpmPackage[]): Promise<string> {
  const parts = await Promise.all(
    packages.map(async ({ name, version, license, path }) => {
      const text = await licenceText(join(projectRoot, path))
      return `${name} ${version} (${license})\n\n${text?.trim() ?? 'The package brings no text of its licence.'}\n`
    }),
  )
  return `Parts of the agent come from these packages.\n\n${parts.join(`\n${'-'.repeat(72)}\n\n`)}`
}

async function licenceText(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [])
  const name = names.filter((one) => /^(licen[cs]e|copying)/i.test(one)).sort()[0]
  return name && (await readFile(join(folder, name), 'utf8').catch(() => undefined))
}
