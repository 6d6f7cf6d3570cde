import { type Places, type Refused, readCatalogueWith } from './administrator.ts'
import { digestOf } from './digest.ts'
import { loadOuis } from './ouis.ts'
import type { PersonaData } from './recipe.ts'

/** All that personas are made from, with what was refused of the administrator's. */
export async function loadPersonaData(places: Places): Promise<PersonaData & { refused: Refused[] }> {
  const { catalogue, refused } = readCatalogueWith(places)
  return { catalogue, refused, ouis: await loadOuis(), digest: digestOf(catalogue) }
}
