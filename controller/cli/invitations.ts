import { basename } from 'node:path'
import { type Invited, qrForTerminal } from '../handover/index.ts'
import type { CliContext } from './context.ts'
import { shownTime } from './shown-time.ts'

/** Tokens, codes and QR codes for who is to carry them to a box; beside, on standard error, what to do with them. */
export async function showTokens(
  cli: CliContext,
  items: readonly Invited[],
  o: { out: string | undefined; qr: boolean },
): Promise<void> {
  const [first] = items
  if (!first) return
  const pictures = o.qr && !cli.json() ? await Promise.all(items.map((item) => picture(qrTextOf(item)))) : []
  cli.show(o.out ? items.map(({ token: _token, ...rest }) => rest) : items, () => {
    for (const [i, item] of items.entries()) {
      if (item.code) showCode(cli, item)
      else if (!o.out) cli.line(item.token)
      const drawn = pictures[i]
      if (drawn) cli.raw(`${drawn}\n`)
    }
  })
  const by = first.code ? '--code' : o.out ? `--token-file ${o.out}` : '--token TOKEN'
  process.stderr.write(
    `Serves once, until ${shownTime(first.codeExpiresAt ?? first.expiresAt)}. ${
      first.code ? 'Typed at the box’s page (its screen says where), or there:' : 'On the appliance:'
    }\n  marshlight-agent enrol --controller ${first.controller} ${by}\n`,
  )
  tellPlace(first)
  if (pictures.includes(undefined))
    process.stderr.write('A QR code is wider than this terminal: use --out DIR/ --qr.\n')
}

/** With a code what is typed at the box's page, which is small and read by any phone; else the token. */
const qrTextOf = ({ token, code, controller }: Invited): string => (code ? `${controller} ${code}` : token)

function showCode(cli: CliContext, { code, codeExpiresAt, controller }: Invited): void {
  cli.details([
    ['controller', controller],
    ['code', code],
    ['good until', shownTime(codeExpiresAt)],
  ])
}

/** The files that were written for each, and the codes. Claims stand in the files alone. */
export function showFiles(cli: CliContext, items: readonly Invited[], files: readonly string[][]): void {
  const told = items.map(({ token: _token, ...rest }, i) => ({ ...rest, files: files[i] ?? [] }))
  cli.show(told, () => {
    for (const item of told) {
      for (const file of item.files) cli.line(file)
      if (item.code) showCode(cli, { ...item, token: '' })
    }
  })
  const [first] = items
  if (!first) return
  process.stderr.write(`Each serves one box, once, until ${shownTime(first.expiresAt)}. Keep them as you keep keys.\n`)
  const sum = files.flat().find((file) => file.endsWith('.sha256'))
  if (sum)
    process.stderr.write(`Whether a copy of an image is whole, its folder tells:\n  sha256sum -c ${basename(sum)}\n`)
  tellPlace(first)
}

function tellPlace({ within }: Invited): void {
  if (!within) return
  const [network, ...further] = within
  const more = further.length > 0 ? ` and ${further.length} more` : ''
  process.stderr.write(`Good only for a box that stands in ${network}${more}; --anywhere makes one for any place.\n`)
}

const picture = (text: string) => qrForTerminal(text, process.stdout.columns ?? 80, process.stdout.isTTY === true)
