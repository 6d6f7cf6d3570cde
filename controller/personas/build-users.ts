import { pick, type Random } from '../../shared/random.ts'
import type { PersonaUser } from '../../shared/schemas/persona.ts'
import type { Accounts } from './data-files.ts'
import { homeOf } from './people.ts'
import type { Role, Template } from './template.ts'

export type BuiltUsers = { users: PersonaUser[]; open: string[] }

/** Users that Red Hat's packages give a fixed number. */
const fixedUids: Readonly<Record<string, number>> = { postgres: 26, mysql: 27 }

/**
 * The password file: the distribution's own users, those of its role, the people. A few accounts open to weak passwords,
 * so that an attacker gets in as into a neglected machine; all others open to nothing.
 */
export function buildUsers(template: Template, role: Role, accounts: Accounts, random: Random): BuiltUsers {
  const users: PersonaUser[] = []
  const taken = new Set<number>()
  const add = (user: PersonaUser) => {
    users.push(user)
    taken.add(user.uid)
  }
  for (const user of template.users)
    add({ ...user, uid: user.uid ?? freeUid(template, user.name, taken), gid: user.gid ?? 65534, passwords: [] })
  for (const user of role.users) {
    if (users.some(({ name }) => name === user.name)) continue
    const uid = user.uid ?? freeUid(template, user.name, taken)
    add({ ...user, uid, gid: user.gid ?? (isRedHat(template) ? uid : uid + 7), passwords: [] })
  }
  for (const [i, name] of peopleOf(template, accounts, users, random).entries())
    add(personOf(template, name, (template.people?.firstUid ?? 1000) + i))
  return { users, open: openAccounts(template, users, accounts, random) }
}

/** The user of a person, as `adduser` of that distribution makes it. */
export function personOf({ people, platform }: Template, name: string, uid: number): PersonaUser {
  const proper = name.charAt(0).toUpperCase() + name.slice(1)
  return {
    name,
    uid,
    gid: platform === 'windows' ? 513 : uid,
    gecos: (people?.gecos ?? '').replace('{Name}', proper).replace('{name}', name),
    home: homeOf({ platform }, name),
    shell: people?.shell ?? '/bin/sh',
    passwords: [],
  }
}

const isRedHat = ({ os }: Template) => os.id === 'rocky' || os.id === 'almalinux'

/** Red Hat counts system users down from 999, Debian up from 100. */
function freeUid(template: Template, name: string, taken: ReadonlySet<number>): number {
  const fixed = fixedUids[name]
  if (isRedHat(template)) {
    if (fixed !== undefined && !taken.has(fixed)) return fixed
    for (let uid = 993; uid > 200; uid--) if (!taken.has(uid)) return uid
  }
  let uid = Math.max(100, ...[...taken].filter((one) => one < 900)) + 1
  while (taken.has(uid)) uid++
  return uid
}

function peopleOf({ people }: Template, accounts: Accounts, users: readonly PersonaUser[], random: Random): string[] {
  if (!people) return []
  const names: string[] = []
  const first = people.names[0]
  if (first !== undefined && random() < 0.6) names.push(first)
  const wanted = names.length + 1 + Math.floor(random() * 2)
  const options = accounts.people.filter((name) => !users.some((user) => user.name === name))
  while (names.length < wanted) {
    const name = pick(random, options)
    if (!names.includes(name)) names.push(name)
  }
  return names
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1)

/** `another`: one was opened before. With `users`, the first never waits, so that one opens at once. */
const mayWait = ({ users }: NonNullable<Template['patience']>, name: string, another: boolean): boolean =>
  users === undefined || (another && users.includes(name))

function openAccounts(template: Template, users: PersonaUser[], accounts: Accounts, random: Random): string[] {
  const open: string[] = []
  if (template.closed) return open
  const give = (user: PersonaUser, options: readonly string[], most: number) => {
    const count = 1 + Math.floor(random() * most)
    for (let i = 0; i < count; i++) {
      const password = pick(random, options).replace('{name}', user.name)
      if (!user.passwords.includes(password)) user.passwords.push(password)
    }
    const { patience } = template
    if (patience && mayWait(patience, user.name, open.length > 0) && random() < patience.share)
      user.acceptFromTry = patience.least + Math.floor(random() * (patience.most - patience.least + 1))
    open.push(user.name)
  }
  // In the order of names: a template that was stored and read again must draw the same.
  for (const [name, options] of Object.entries(template.defaultPasswords ?? {}).sort(byName)) {
    const user = users.find((one) => one.name === name)
    if (user) give(user, options, 2)
  }
  if (open.length > 0) return open
  const people = users.filter(({ uid }) => uid >= 1000 && uid < 60000)
  const weak = people[Math.floor(random() * people.length)]
  if (weak) give(weak, [...accounts.weakPasswords, ...accounts.ownPassword, ...accounts.ownPassword], 3)
  const root = users.find(({ uid }) => uid === 0)
  if (root && (!weak || random() < 0.6)) give(root, accounts.rootPasswords, 2)
  return open
}
