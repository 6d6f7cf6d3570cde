import { pick } from '../../../shared/random.ts'
import { daysAgo, digits, honeyIn, type Maker, type Sheet, write } from './context.ts'

/** What people leave in their folders, in the language of the place; now and then a note with a password. */
export const documents: Maker = (sheet) => {
  const { input, random } = sheet
  const isWindows = input.template.platform === 'windows'
  const separator = isWindows ? '\\' : '/'
  for (const person of input.people) {
    const folder = `${person.home}${separator}${isWindows ? 'Documents' : input.words.folder}`
    const count = 1 + Math.floor(random() * 2)
    for (let i = 0; i < count; i++) {
      const [name, text] = pick(random, input.words.documents)
      const day = daysAgo(input.now, 5 + random() * 200)
      write(
        sheet,
        `${folder}${separator}${filled(sheet, name, day)}`,
        person,
        0o644,
        ending(sheet, filled(sheet, text, day)),
      )
    }
    if (random() < 0.4) {
      const path = `${person.home}${separator}${input.words.todo}.txt`
      const password = honeyIn(sheet, 'web', person.name, path)
      write(
        sheet,
        path,
        person,
        0o600,
        ending(
          sheet,
          `intranet.${input.domain}\n${person.name} / ${password}\n\nVPN: ${pick(random, input.words.first)}\n`,
        ),
      )
    }
  }
}

/** Windows ends lines with a carriage return too. */
const ending = ({ input }: Sheet, text: string) =>
  input.template.platform === 'windows' ? text.replaceAll('\n', '\r\n') : text

export function filled({ input, random }: Sheet, text: string, day: Date): string {
  const { words } = input
  const date = day.toISOString().slice(0, 10)
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    switch (name) {
      case 'date':
        return date
      case 'month':
        return date.slice(0, 7)
      case 'year':
        return date.slice(0, 4)
      case 'person':
        return `${pick(random, words.first)} ${pick(random, words.last)}`
      case 'company':
        return pick(random, words.companies)
      case 'amount':
        return String(1000 + Math.floor(random() * 90_000))
      default:
        return digits(random, 2)
    }
  })
}
