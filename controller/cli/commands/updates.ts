import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { syncFolder } from '../../../shared/files.ts'
import { parseManifest } from '../../../shared/release.ts'
import type { ReleaseManifest, ReleasePart } from '../../../shared/schemas/update.ts'
import { mustBeThere, readReleaseTexts } from '../../updates/make.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { shownTime } from '../duration.ts'
import { shownBytes } from '../shown-bytes.ts'
import { makeCommands, readPublicKey } from './updates-make.ts'
import { rolloutCommands } from './updates-rollouts.ts'

type Release = { version: string; sequence: number; key: string; addedAt: string; parts: ReleasePart[]; notes: string }
type Options = { dryRun?: boolean; older?: boolean; out?: string }

const path = (version: string, rest = '') => `/v1/releases/${encodeURIComponent(version)}${rest}`
const dry = ({ dryRun }: Options) => (dryRun ? '?dryRun=1' : '')
const sizeOf = (parts: readonly ReleasePart[]) => shownBytes(parts.reduce((sum, { bytes }) => sum + bytes, 0))
const partWords = (parts: readonly ReleasePart[]) =>
  [...Map.groupBy(parts, ({ component }) => component)]
    .map(([component, some]) => `${component} ${some.map(({ arch }) => arch).join('+')}`)
    .join(', ')

/** `marshlight updates`: releases, and how they come to the boxes. */
export const updatesCommand: CliCommand = (program, cli) => {
  const updates = program.command('updates').description('releases of agent, decoys and system, and their rollouts')

  updates
    .command('ls', { isDefault: true })
    .description('list releases, newest first')
    .addHelpText('after', '\nExamples:\n  marshlight updates\n  marshlight updates ls --json')
    .action(async () => {
      const { items } = await cli.api.get<{ items: Release[] }>('/v1/releases')
      cli.show(items, () =>
        cli.table(
          ['VERSION', 'SEQ', 'PARTS', 'SIZE', 'ADDED', 'NOTES'],
          items.map((one) => [
            one.version,
            one.sequence,
            partWords(one.parts),
            sizeOf(one.parts),
            shownTime(one.addedAt),
            one.notes || undefined,
          ]),
        ),
      )
    })

  keyCommands(updates, cli)

  updates
    .command('add <dir>')
    .description('give a release to the controller, which verifies it')
    .option('--older', 'one below the newest, to go back to')
    .option('--dry-run', 'only verify its signature and whether it would be taken')
    .addHelpText('after', '\nExample:\n  marshlight updates add release-1.4.2')
    .action(async (folder: string, options: Options) => {
      const manifest = await add(cli, folder, options)
      cli.show(manifest, ({ version, sequence, parts }) => {
        cli.line(
          `${options.dryRun ? 'Would take' : 'Took'} release ${version} (sequence ${sequence}): ${partWords(parts)}.`,
        )
        if (!options.dryRun) cli.line(`Next: \`marshlight updates plan ${version}\`.`)
      })
    })

  updates
    .command('remove <version>')
    .description('delete the files of a release that no rollout needs')
    .option('--dry-run', 'only say what would happen')
    .addHelpText('after', '\nExample:\n  marshlight updates remove 1.3.0')
    .action(async (version: string, options: Options) => {
      const gone = await cli.api.delete<Release>(path(version, dry(options)))
      cli.show(gone, ({ parts }) =>
        cli.line(`${options.dryRun ? 'Would remove' : 'Removed'} release ${version} (${sizeOf(parts)}).`),
      )
    })

  updates
    .command('bundle <version>')
    .description('a release as one file, to bring to a box by a USB stick')
    .requiredOption('--out <file>', 'where to write it')
    .addHelpText('after', '\nExample:\n  marshlight updates bundle 1.4.2 --out /mnt/marshlight-release-1.4.2.tar')
    .action(async (version: string, { out = '' }: Options) => {
      const bytes = await cli.progress('writing the bundle', bundle(cli, version, out))
      cli.show({ version, file: out, bytes }, () =>
        cli.line(
          `Wrote ${out} (${shownBytes(bytes)}). A box made by an image takes it by itself from a stick, as marshlight-release*.tar; any other: \`marshlight-agent update --from ${out}\`.`,
        ),
      )
    })

  rolloutCommands(updates, cli)
  makeCommands(updates, cli)
}

function keyCommands(updates: Command, cli: CliContext): void {
  updates
    .command('keys')
    .description('release keys that this controller trusts')
    .addHelpText('after', '\nExample:\n  marshlight updates keys')
    .action(async () => {
      const { items } = await cli.api.get<{ items: { id: string }[] }>('/v1/release-keys')
      cli.show(items, () =>
        cli.table(
          ['KEY'],
          items.map(({ id }) => [id]),
        ),
      )
    })

  updates
    .command('trust <file>')
    .description('trust a release key; boxes trust those that came with them')
    .option('--dry-run', 'only read it')
    .addHelpText('after', '\nExample:\n  marshlight updates trust release.key.pub')
    .action(async (file: string, options: Options) => {
      await readPublicKey(file)
      const body = { text: await readFile(file, 'utf8') }
      const key = await cli.api.post<{ id: string }>(`/v1/release-keys${dry(options)}`, body)
      cli.show(key, ({ id }) => cli.line(`${options.dryRun ? 'Would trust' : 'Trusts'} releases signed by key ${id}.`))
    })
}

async function add(cli: CliContext, folder: string, { older = false, dryRun }: Options): Promise<ReleaseManifest> {
  const { manifestText: manifest, signature } = await readReleaseTexts(folder)
  const begun = await cli.api.post<{ id?: string }>(`/v1/releases/incoming${dry({ dryRun: dryRun === true })}`, {
    ...{ manifest, signature, older },
  })
  const { parts } = parseManifest(manifest)
  if (begun.id === undefined) return parseManifest(manifest)
  const at = `/v1/releases/incoming/${begun.id}`
  try {
    for (const part of parts) {
      const path = join(folder, part.file)
      await mustBeThere(path, part)
      const sending = cli.api.upload(`${at}/${encodeURIComponent(part.file)}`, createReadStream(path))
      await cli.progress(`sending ${part.file} (${shownBytes(part.bytes)})`, sending)
    }
    return await cli.api.post<ReleaseManifest>(`${at}/finish`)
  } catch (error) {
    await cli.api.delete(at).catch(() => undefined)
    throw error
  }
}

/** The file is there whole, or not at all. */
async function bundle(cli: CliContext, version: string, out: string): Promise<number> {
  const { content, bytes } = await cli.api.download(path(version, '/bundle'))
  const beside = `${out}.${process.pid}.tmp`
  const file = await open(beside, 'w', 0o644)
  try {
    await file.writeFile(content)
    await file.sync()
    await file.close()
    await rename(beside, out)
    await syncFolder(dirname(out))
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(beside, { force: true })
    throw error
  }
  return bytes
}
