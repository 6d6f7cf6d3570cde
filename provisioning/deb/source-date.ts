import { command } from '../build/command.ts'

/** What the package is made of, as paths of the repository. */
const made = ['agent', 'shared', 'provisioning/deb', 'package.json', 'package-lock.json']

/**
 * The one time that all files of a package bear, in seconds: SOURCE_DATE_EPOCH where it is set, else that of the last
 * commit which touched what the package is made of, else (no history here) the first of 2026.
 */
export async function sourceDate(projectRoot: string, env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const named = Number(env.SOURCE_DATE_EPOCH)
  if (env.SOURCE_DATE_EPOCH && Number.isSafeInteger(named) && named >= 0) return named
  const told = await command('git', ['log', '-1', '--format=%ct', '--', ...made], { cwd: projectRoot }).catch(() => '')
  return Number(told.trim()) || Date.UTC(2026, 0, 1) / 1000
}
