import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../../shared/errors.ts'
import { type PublicKey, parsePublicKey } from '../../../shared/minisign.ts'
import type { Architecture, Component } from '../../../shared/schemas/update.ts'
import { makeRelease, readPrivateKey, type Source, verifyRelease } from '../../updates/make.ts'
import type { CliContext } from '../context.ts'
import { parseNumber } from '../duration.ts'
import { shownBytes } from '../shown-bytes.ts'

type MakeOptions = Partial<Record<Component, string[]>> & {
  version: string
  sequence: number
  arch?: Architecture
  key: string
  out: string
  notes: string
  agentVersion?: string
  decoysVersion?: string
  systemVersion?: string
}

const archWords: readonly [RegExp, Architecture][] = [
  [/amd64|x86[_-]64/i, 'amd64'],
  [/arm64|aarch64/i, 'arm64'],
]

/**
 * `marshlight updates make|verify`: where releases are made. They need no controller, and belong on a machine without
 * one: the key that boxes trust (`marshlight image key`) must not be where an attacker of the controller finds it.
 */
export function makeCommands(updates: Command, cli: CliContext): void {
  updates
    .command('make')
    .description('make a release: its files, what is in it, and the signature of that')
    .requiredOption('--version <v>', 'of the release')
    .requiredOption('--sequence <n>', 'above that of every release before', parseNumber(1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--key <file>', 'the private key that signs it')
    .requiredOption('--out <dir>', 'folder to make')
    .option('--agent <file...>', 'the agent’s .deb, or a tar of its folder')
    .option('--decoys <file...>', 'archives of the decoys’ images')
    .option('--system <file...>', 'images of the base system')
    .option('--arch <arch>', 'of files whose names do not tell: amd64 or arm64')
    .option('--agent-version <v>', 'what the agent says of itself, if not as the release')
    .option('--decoys-version <v>', 'version of these images, if not as the release')
    .option('--system-version <v>', 'version of this system, if not as the release')
    .option('--notes <text>', 'for people', '')
    .addHelpText(
      'after',
      `
A box leaves out a part whose version it runs already: give a part that did
not change its old version. One file of a kind for each architecture.
The key is the one that signs images and packages: \`marshlight image key\`.

Example:
  marshlight updates make --version 1.4.2 --sequence 7 --key release.key \\
    --agent marshlight-agent_1.4.2_amd64.deb marshlight-agent_1.4.2_arm64.deb \\
    --decoys decoys-amd64.tar --decoys-version 1.4.0 --out release-1.4.2`,
    )
    .action(async (o: MakeOptions) => {
      const sources = (['agent', 'decoys', 'system'] as const).flatMap((component) =>
        (o[component] ?? []).map((path): Source => {
          const version = o[`${component}Version`] ?? o.version
          return { component, path, version, arch: archOf(path, o.arch) }
        }),
      )
      if (sources.length === 0) throw usage('give at least one of --agent, --decoys and --system')
      const createdAt = new Date(madeAt()).toISOString()
      const { version, sequence, out, notes } = o
      const key = await readPrivateKey(o.key)
      const making = makeRelease({ version, sequence, createdAt, notes, sources, key, out })
      const manifest = await cli.progress('making the release', making)
      cli.show(manifest, ({ parts }) => {
        cli.table(
          ['PART', 'ARCH', 'VERSION', 'SIZE', 'FILE'],
          parts.map((one) => [one.component, one.arch, one.version, shownBytes(one.bytes), one.file]),
        )
        cli.line(`Release ${version} is in ${out}. Next: \`marshlight updates add ${out}\`.`)
      })
    })

  updates
    .command('verify <dir>')
    .description('whether a release’s folder is whole and signed')
    .requiredOption('--key <file...>', 'public keys, any of which may have signed it')
    .addHelpText('after', '\nExample:\n  marshlight updates verify release-1.4.2 --key release.key.pub')
    .action(async (folder: string, o: { key: string[] }) => {
      const keys = await Promise.all(o.key.map(readPublicKey))
      const { manifest, key } = await cli.progress('verifying', verifyRelease(folder, keys))
      const { version, sequence, parts } = manifest
      cli.show({ ...manifest, key }, () =>
        cli.line(`Release ${version} (sequence ${sequence}): ${parts.length} part(s) whole, signed by key ${key}.`),
      )
    })
}

export async function readPublicKey(path: string): Promise<PublicKey> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw usage(`${path} cannot be read: ${wordsOf(error)}`)
  })
  const key = parsePublicKey(text)
  if (!key) throw usage(`${path} holds no public key of minisign`)
  return key
}

function archOf(path: string, told: Architecture | undefined): Architecture {
  const named = archWords.find(([words]) => words.test(basename(path)))?.[1]
  const arch = named ?? told
  if (arch === 'amd64' || arch === 'arm64') return arch
  throw usage(`of ${path} is not known for which architecture it is: name it with --arch amd64 or arm64`)
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org), so that the same inputs make the same release. */
const madeAt = (): number => Number(process.env.SOURCE_DATE_EPOCH ?? Number.NaN) * 1000 || systemClock.now()

const usage = (what: string) => new MarshlightError('USAGE', { what, command: 'marshlight updates make' })
