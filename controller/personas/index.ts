export { checkTemplate, type Places, type Refused, readCatalogueWith } from './administrator.ts'
export { type BuildInput, build } from './build.ts'
export { type Catalogue, readCatalogue, templateOf } from './catalogue.ts'
export { type Choice, choose, isPlayable, type Playable } from './choose.ts'
export { type Difference, differences } from './differences.ts'
export { digestOf } from './digest.ts'
export { inconsistencies } from './inconsistencies.ts'
export { loadPersonaData } from './load.ts'
export { learnNames, nextName } from './names.ts'
export { type Neighbour, recognise } from './neighbours.ts'
export { type NextVersion, nextVersion } from './next-version.ts'
export { loadOuis, makeOuis, type Ouis } from './ouis.ts'
export { keepRecipe, type PersonaData, type Rebuilt, type Recipe, rebuild } from './recipe.ts'
export {
  type Approval,
  listPersonas,
  type PersonaSummary,
  type Planted,
  plantedAs,
  plantedNow,
  readPersona,
  savePersona,
  setApproved,
  statusOf,
  versionsOf,
} from './records.ts'
export { restored } from './restore.ts'
export { personaOriginTables, personaTables } from './tables.ts'
export type { Template } from './template.ts'
