import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { command } from './command.ts'

export type WheelsOptions = {
  requirements: string
  /** Folder that shall hold the wheels; it is there only when all of them are. */
  folder: string
  /** Image with the same Python as the base image, and pip. */
  image: string
}

/**
 * Fetches and builds the wheels in a container of the images' own Python, so that they fit it, with the host's network and
 * pip settings: index, proxy, certificates.
 */
export async function makeWheels({ requirements, folder, image }: WheelsOptions): Promise<void> {
  if (existsSync(folder)) return
  const unfinished = `${folder}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true })
  const settings = await pipSettings(process.env)
  await command(
    'docker',
    [
      'run',
      '--rm',
      '--network=host',
      ...settings.flat(),
      '-v',
      `${resolve(requirements)}:/requirements.txt:ro`,
      '-v',
      `${resolve(unfinished)}:/wheels`,
      image,
      'python3',
      '-m',
      'pip',
      'wheel',
      '--disable-pip-version-check',
      '--wheel-dir=/wheels',
      '--requirement=/requirements.txt',
    ],
    { next: 'Check that pip can install on this host (`pip download` of the same file), then run again.' },
  )
  await rm(folder, { recursive: true, force: true })
  await rename(unfinished, folder)
}

const passedNames = /^(PIP_|(https?|all|no)_proxy$|SSL_CERT_|REQUESTS_CA_BUNDLE$|CURL_CA_BUNDLE$|SOURCE_DATE_EPOCH$)/i

/** docker's options that give a container the host's pip settings. Values go by name only: they may hold passwords. */
export async function pipSettings(env: NodeJS.ProcessEnv): Promise<string[][]> {
  const names = Object.keys(env).filter((name) => passedNames.test(name))
  const files = new Map<string, string>([
    ['/etc/pip.conf', '/etc/pip.conf'],
    [join(homedir(), '.config/pip/pip.conf'), '/root/.config/pip/pip.conf'],
    [join(homedir(), '.pip/pip.conf'), '/root/.pip/pip.conf'],
    [join(homedir(), '.netrc'), '/root/.netrc'],
    ['/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/certs/ca-certificates.crt'],
  ])
  for (const name of names) for (const path of pathsIn(env[name] ?? '')) files.set(path, path)
  for (const path of [...files.keys()].filter((path) => path.endsWith('pip.conf') && existsSync(path))) {
    for (const named of pathsIn(await readFile(path, 'utf8'))) files.set(named, named)
  }
  const mounts = [...files].filter(([path]) => existsSync(path)).map(([from, to]) => ['-v', `${from}:${to}:ro`])
  return [...names.map((name) => ['-e', name]), ...mounts]
}

/** Absolute paths named in a setting: certificates, folders of wheels, configuration files. */
const pathsIn = (text: string) => text.split(/[\s=]+/).filter((word) => /^\/[^/]/.test(word) && !/[:,]/.test(word))
