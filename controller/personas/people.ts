import type { PersonaUser } from '../../shared/schemas/persona.ts'
import type { Template } from './template.ts'

/** Where people's folders lie on a system. */
export const homeOf = ({ platform }: Pick<Template, 'platform'>, name: string): string =>
  platform === 'windows' ? `C:\\Users\\${name}` : `/home/${name}`

/** A user who is a person, not part of the system or of a role. */
export const isPerson = (template: Template, { name }: Pick<PersonaUser, 'name'>): boolean =>
  !template.users.some((user) => user.name === name) &&
  !template.roles.some(({ users }) => users.some((user) => user.name === name))
