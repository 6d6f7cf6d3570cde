import { pick } from '../../../shared/random.ts'
import type { PersonaService } from '../../../shared/schemas/persona.ts'
import { type Sheet, write } from './context.ts'

/** The start page of a web server, the same in what it serves and on its disk. Devices answer as their firmware does. */
export function webPages(sheet: Sheet, services: readonly PersonaService[]): PersonaService[] {
  const { input, random } = sheet
  if (input.template.platform !== 'linux' || input.role.id === 'plain') return [...services]
  return services.map((service) => {
    if (service.kind !== 'http') return service
    const company = pick(random, input.words.companies)
    const person = `${pick(random, input.words.first)} ${pick(random, input.words.last)}`
    const body = `<!DOCTYPE html>\n<html lang="${languageOf(sheet)}">\n<head>\n<meta charset="utf-8">\n<title>${company}</title>\n<link rel="stylesheet" href="/style.css">\n</head>\n<body>\n<h1>${company}</h1>\n<ul>\n<li><a href="/login">Login</a></li>\n<li><a href="/docs/">${input.words.folder}</a></li>\n</ul>\n<p>${person}, ${input.hostname}.${input.domain}</p>\n</body>\n</html>\n`
    const folder =
      input.template.packages?.startsWith('el') && service.product === 'nginx'
        ? '/usr/share/nginx/html'
        : '/var/www/html'
    const owner = input.users[0]
    if (owner) write(sheet, `${folder}/index.html`, owner, 0o644, body)
    return { ...service, pages: [...(service.pages ?? []), { path: '/', status: 200, type: 'text/html', body }] }
  })
}

const languageOf = ({ input }: Sheet): string => input.language.slice(0, 2)
