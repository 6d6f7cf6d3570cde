import { readFile, stat } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { MarshlightError } from '../../../shared/errors.ts'
import { writeFileAtomic } from '../../../shared/files.ts'
import { parseSiteSettings } from '../../../shared/schemas/enrolment-file.ts'
import { plainly } from '../../../shared/system-errors.ts'
import { checkNames, type Handover, type Invited, prepareHandover } from '../../handover/index.ts'
import { dry } from '../agent-path.ts'
import type { CliContext } from '../context.ts'
import { showFiles, showTokens } from '../invitations.ts'

/** `marshlight agents invite`: claims by which boxes come in, as tokens, files, images of cards, codes. */
export function inviteCommand(agents: Command, cli: CliContext): void {
  agents
    .command('invite')
    .description('claims for new ones: a token, a file, a card’s image, or a code')
    .requiredOption('--segment <name>', 'the segment it will stand in; made if new')
    .option('--site <name>', 'the site of the segment; made if new', 'main')
    .option('--name <name>', 'its name; else that of its machine')
    .addOption(new Option('--role <role...>', 'what it may do').choices(['decoys', 'enforcer']).default(['decoys']))
    .option('--count <n>', 'for how many boxes', Number, 1)
    .option('--hours <n>', 'how long a claim is good', Number, 24)
    .option('--from <network...>', 'where the controller has to see it, as 198.18.3.0/24')
    .option('--within <network...>', 'where it has to stand by its own word')
    .option('--anywhere', 'also elsewhere than in the segment’s known network')
    .option('--out <path>', 'a file for the tokens, one a line; or a folder (with / at its end) for one file a box')
    .option('--usb <dir>', 'a USB stick: the file that a box takes from it')
    .option('--network <file>', 'settings of the site for these files')
    .option('--image <base>', 'make a card’s image for each box, from this one')
    .option('--pubkey <file>', 'public key that the base is signed by: it is verified first')
    .option('--unverified', 'take a base that nobody signed, or that you verified')
    .addOption(new Option('--arch <name>', 'what the boxes are').choices(['amd64', 'arm64']))
    .option('--code', 'a code too, which can be typed at the box')
    .option('--code-minutes <n>', 'how long a code is good', Number, 60)
    .option('--qr', 'a QR code too: on the screen, or beside each file')
    .option('--dry-run', 'only say what would be made')
    .addHelpText(
      'after',
      `
A file or image is named for site, segment and number; only you can read it,
and none is written over. A box takes it at its first start and deletes it.
Beside an image stands its SHA-256.
--network takes what boxes of a site share, each key optional, as
  { "network": { "dns": ["10.0.0.53"] }, "ntp": ["10.0.0.1"],
    "proxy": "http://10.0.0.8:3128",
    "ssh": { "authorizedKeys": ["ssh-ed25519 AAAA... admin"] } }
Where the network of the segment is known (by its plan, or a box that is
there), a claim is good only in it, unless --from, --within or --anywhere says
otherwise; one that is used elsewhere is refused and told.

Examples:
  marshlight agents invite --site hq --segment office
  marshlight agents invite --segment dmz --role enforcer --out token.txt
  marshlight agents invite --segment office --count 20 --network net.json \\
    --image base.img.zst --pubkey release.key.pub --out cards/
  marshlight agents invite --segment office --usb /media/stick
  marshlight agents invite --segment office --code --qr`,
    )
    .action(async (options: Options) => {
      const { site, segment, name, role: roles, count, hours, from, within, anywhere } = options
      const body = {
        ...{ site, segment, roles, count, hours },
        ...(name && { name }),
        ...(from && { from }),
        ...(within && { within }),
        ...(anywhere && { anywhere }),
        ...(options.code && { codeMinutes: options.codeMinutes }),
      }
      // What the controller would refuse is refused before anything is copied.
      if (!options.dryRun) await cli.api.post('/v1/agents/invite?dryRun=1', body)
      const handover = await prepare(options, cli)
      try {
        const { items } = await cli.api.post<{ items: Invited[] }>(`/v1/agents/invite${dry(options)}`, body)
        if (options.dryRun)
          return cli.show(items, () =>
            cli.line(`Would make ${items.length} claim(s) for segment ${segment} of site ${site}.`),
          )
        if (handover) return showFiles(cli, items, await cli.progress('writing', handover.deliver(items)))
        const { out, qr } = options
        if (out) await writeFileAtomic(out, `${items.map(({ token }) => token).join('\n')}\n`, 0o600)
        await showTokens(cli, items, { out, qr: qr === true })
      } catch (error) {
        throw plainly(error)
      } finally {
        await handover?.close()
      }
    })
}

type Options = {
  site: string
  segment: string
  name?: string
  role: string[]
  count: number
  hours: number
  from?: string[]
  within?: string[]
  anywhere?: boolean
  out?: string
  usb?: string
  network?: string
  image?: string
  pubkey?: string
  unverified?: boolean
  arch?: 'amd64' | 'arm64'
  code?: boolean
  codeMinutes: number
  qr?: boolean
  dryRun?: boolean
}

/** Where files are wanted: all that they need, before a claim is made. Throws USAGE, IMAGE_*, DISK_FULL. */
async function prepare(o: Options, cli: CliContext): Promise<Handover | undefined> {
  const wrong = (what: string) => new MarshlightError('USAGE', { what, command: 'marshlight agents invite' })
  if (o.usb && (o.out || o.image || o.count > 1))
    throw wrong('--usb takes the file of one box, without --out and --image')
  if (o.image && !o.out) throw wrong('--image needs --out, a folder for the images')
  for (const key of ['pubkey', 'unverified', 'arch'] as const)
    if (o[key] && !o.image) throw wrong(`--${key} needs --image`)
  if (o.image && !o.pubkey === !o.unverified)
    throw wrong(
      o.pubkey
        ? '--pubkey verifies the base, --unverified does not: give one'
        : `nobody has verified ${o.image}: give --pubkey FILE (release.key.pub of \`marshlight image key\`), or --unverified`,
    )
  const folder = o.usb ?? (o.out && (o.image || o.out.endsWith('/') || (await isFolder(o.out))) ? o.out : undefined)
  if (folder === undefined) {
    if (o.network) throw wrong('--network needs --usb, or --out with a folder: a token holds no settings')
    return undefined
  }
  checkNames(o.site, o.segment)
  const settings = o.network === undefined ? {} : parseSiteSettings(await textOf(o.network), o.network)
  const { site, segment, count, name, image, arch, pubkey: publicKey } = o
  const optional = {
    ...(name && { name }),
    ...(image && { image }),
    ...(arch && { arch }),
    ...(publicKey && { publicKey }),
  }
  const flags = { stick: o.usb !== undefined, qr: o.qr === true, dryRun: o.dryRun === true }
  const handover = await cli.progress(
    'making ready',
    prepareHandover({ folder, site, segment, count, settings, ...optional, ...flags }),
  )
  for (const path of handover.left.removed) process.stderr.write(`Removed ${path}, left by one that was killed.\n`)
  for (const words of handover.left.stays) process.stderr.write(`Left by one that was killed, and stays: ${words}\n`)
  return handover
}

const textOf = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error) => {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? new MarshlightError('USAGE', { what: `there is no ${file}`, command: 'marshlight agents invite' })
      : plainly(error)
  })

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
