#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, parse, relative } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { contentHash } from './content.ts'

/** Files for a build context: name there -> path here. */
export type Bundle = { files: Record<string, string>; hash: string }

const projectRoot = join(import.meta.dirname, '../..')
export const dist = join(projectRoot, 'dist')

/**
 * Modules that dockerode reaches for to speak to engines over SSH or BuildKit, and zod's messages in other languages. The
 * agent speaks to a local socket, in one language; leaving them out saves it 15 MB of memory. What was compiled for one
 * machine goes nowhere: ssh2 does without.
 */
const leftOutOfAgent =
  /^(ssh2|cpu-features|@grpc\/.*|protobufjs(\/.*)?|\.\/(ssh|session|buildkit)|\.\/.*\.node|\.\.\/locales\/index\.js)$/

const throwing = (name: string) =>
  `module.exports = new Proxy(function () {}, {
    get(_, key) {
      if (key === '__esModule' || typeof key === 'symbol') return undefined
      throw new Error(${JSON.stringify(`${name} is not part of this bundle (reached for `)} + String(key) + ')')
    },
    apply() { throw new Error(${JSON.stringify(`${name} is not part of this bundle`)}) },
    construct() { throw new Error(${JSON.stringify(`${name} is not part of this bundle`)}) },
  })`

/** Replaces modules by one that throws when used: a missing part is told at once, with its name. */
export function leaveOut(pattern: RegExp): Plugin {
  return {
    name: 'leave-out',
    setup(builder) {
      builder.onResolve({ filter: pattern }, ({ path, importer }) => {
        // Audits run in a process of their own, which may hold what the agent itself must not.
        if (/[/]agent[/]audit[/]/.test(importer)) return undefined
        // Relative names are left out only inside the packages that the pattern means.
        if (path.startsWith('.') && !/node_modules\/(dockerode|docker-modem|zod|ssh2)\//.test(importer))
          return undefined
        return { path, namespace: 'left-out' }
      })
      builder.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
        contents: throwing(path),
        loader: 'js',
      }))
    },
  }
}

export type BundleOptions = {
  entry: string
  outfile: string
  leaveOutModules?: RegExp
  /**
   * What is imported on demand goes into files of its own, in a folder beside `outfile` with its name, and spaces go: a
   * process keeps the text of each file it has loaded in memory.
   */
  lean?: boolean
}

/** ESM for Node 24 out of an entry point and all it imports. CommonJS inside finds `require`. Returns the files' paths. */
export async function bundle({ entry, outfile, leaveOutModules, lean = false }: BundleOptions): Promise<string[]> {
  if (!existsSync(entry)) throw new MarshlightError('CONFIG_MISSING', { file: entry, command: 'git status' })
  const { dir, name } = parse(outfile)
  if (lean) await rm(join(dir, name), { recursive: true, force: true })
  const { metafile } = await build({
    entryPoints: { [name]: entry },
    outdir: dir,
    outExtension: { '.js': '.mjs' },
    splitting: lean,
    chunkNames: `${name}/[name]-[hash]`,
    minify: lean,
    metafile: true,
    absWorkingDir: projectRoot,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    conditions: ['node', 'import'],
    mainFields: ['module', 'main'],
    legalComments: 'none',
    logLevel: 'silent',
    sourcemap: false,
    banner: {
      js: [
        "import { createRequire as bundleRequire } from 'node:module'",
        "import { fileURLToPath as bundlePath } from 'node:url'",
        'const require = bundleRequire(import.meta.url)',
        'const __filename = bundlePath(import.meta.url)',
        "const __dirname = bundlePath(new URL('.', import.meta.url))",
      ].join('\n'),
    },
    plugins: leaveOutModules ? [leaveOut(leaveOutModules)] : [],
  })
  return Object.keys(metafile.outputs).map((file) => join(projectRoot, file))
}

const outputs = {
  'agent-bundle': [{ entry: 'agent/main.ts', file: 'agent.mjs', leaveOutModules: leftOutOfAgent, lean: true }],
  'controller-bundle': [{ entry: 'controller/cli.ts', file: 'controller.mjs' }],
} satisfies Record<string, [Omit<BundleOptions, 'outfile'> & { file: string }]>

/** Further files of this project that stand beside a bundle. */
const beside: Record<keyof typeof outputs, Record<string, string>> = {
  'agent-bundle': { 'node-settings.sh': 'agent/node-settings.sh', 'launcher.sh': 'agent/updates/launcher.sh' },
  'controller-bundle': {},
}

async function makeBundle(bundleName: keyof typeof outputs): Promise<Bundle> {
  await mkdir(dist, { recursive: true })
  const files: Record<string, string> = {}
  const parts: Record<string, string> = {}
  for (const { entry, file, ...rest } of outputs[bundleName]) {
    for (const path of await bundle({ entry: join(projectRoot, entry), outfile: join(dist, file), ...rest })) {
      files[relative(dist, path)] = path
      parts[relative(dist, path)] = await readFile(path, 'latin1')
    }
  }
  for (const [name, path] of Object.entries(beside[bundleName])) {
    files[name] = join(projectRoot, path)
    parts[name] = await readFile(join(projectRoot, path), 'latin1')
  }
  return { files, hash: contentHash(parts) }
}

export const bundles = {
  'agent-bundle': () => makeBundle('agent-bundle'),
  'controller-bundle': () => makeBundle('controller-bundle'),
}

/** The Node binary of the npm package that fits this machine; its version stands for its content. */
export async function nodeBinary(): Promise<Bundle> {
  const name = `node-linux-${process.arch}`
  const require = createRequire(import.meta.url)
  const manifest = require.resolve(`${name}/package.json`)
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
  return { files: { node: join(manifest, '../bin/node') }, hash: contentHash({ name, version }) }
}

/** The agent's bundle in a folder of its own, with all that stands beside it: one version of it. */
export async function agentBundleIn(folder: string): Promise<void> {
  const [{ entry, file, ...rest }] = outputs['agent-bundle']
  await bundle({ entry: join(projectRoot, entry), outfile: join(folder, file), ...rest })
  for (const [name, path] of Object.entries(beside['agent-bundle']))
    await copyFile(join(projectRoot, path), join(folder, name))
}

if (import.meta.main) {
  try {
    for (const make of Object.values(bundles)) for (const file of Object.values((await make()).files)) console.log(file)
  } catch (error) {
    console.error(`marshlight build: ${wordsOf(error)}`)
    process.exitCode = 1
  }
}
