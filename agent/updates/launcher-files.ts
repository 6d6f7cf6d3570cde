import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '../../shared/files.ts'
import type { Disk } from './disk.ts'

/** The agent's side of what launcher.sh reads and writes; what each file says stands there. */
export type LauncherEnv = {
  /** Name of the version that runs: a folder, or `package`. */
  runs: string
  /** Sum of the package's program. */
  base: string
  /** The rollout that this process is on trial for. */
  trial?: string
}

export type LauncherSeen = {
  trial?: { rollout: string; name: string }
  failed?: { rollout: string; why: string }
  confirmed?: { name: string; base: string; rollout: string }
  previous?: { name: string; base: string }
  /** Folders with versions. */
  folders: string[]
}

/** Exit codes that the launcher knows: start what stands there now; give the trial up. */
export const startAgain = 75
export const goBack = 76

export const versionsFolder = (stateDir: string) => join(stateDir, 'versions')

/** Undefined where no launcher started this process: nobody would go back. */
export function launcherEnv(env: NodeJS.ProcessEnv): LauncherEnv | undefined {
  const { MARSHLIGHT_LAUNCHER: launcher, MARSHLIGHT_RUNS: runs, MARSHLIGHT_BASE: base, MARSHLIGHT_TRIAL: trial } = env
  if (launcher !== '1' || !runs || !base) return undefined
  return { runs, base, ...(trial && { trial }) }
}

export async function seeLauncher(stateDir: string): Promise<LauncherSeen> {
  const folder = versionsFolder(stateDir)
  const wordsOf = async (name: string): Promise<string[] | undefined> => {
    const line = (await readIfThere(join(folder, name)))?.split('\n')[0]?.trim()
    return line ? line.split(/\s+/) : undefined
  }
  const [trial, failed, confirmed, previous, names] = await Promise.all([
    wordsOf('trial'),
    wordsOf('failed'),
    wordsOf('confirmed'),
    wordsOf('previous'),
    readdir(folder, { withFileTypes: true }).catch(() => []),
  ])
  return {
    ...(trial && { trial: { rollout: trial[0] ?? '', name: trial[1] ?? '' } }),
    ...(failed && { failed: { rollout: failed[0] ?? '', why: failed[1] ?? '' } }),
    ...(confirmed && {
      confirmed: { name: confirmed[0] ?? '', base: confirmed[1] ?? '', rollout: confirmed[2] ?? '' },
    }),
    ...(previous && { previous: { name: previous[0] ?? '', base: previous[1] ?? '' } }),
    folders: names.filter((entry) => entry.isDirectory()).map(({ name }) => name),
  }
}

export function launcherFiles(disk: Disk, stateDir: string) {
  const at = (name: string) => join(versionsFolder(stateDir), name)
  return {
    putTrial: (rollout: string, name: string, seconds: number) =>
      disk.write(at('trial'), `${rollout} ${name} ${seconds}\n`),
    /** What was confirmed before is kept under the same base, so that the launcher may start it. */
    async confirm(rollout: string, env: LauncherEnv, before: LauncherSeen['confirmed']): Promise<void> {
      const kept = before?.base === env.base ? before.name : 'package'
      if (kept !== env.runs) await disk.write(at('previous'), `${kept} ${env.base}\n`)
      await disk.write(at('confirmed'), `${env.runs} ${env.base} ${rollout}\n`)
      await disk.remove(at('trial'))
      await disk.remove(at('tries'))
    },
    /** The rollout is over here too. */
    async forget(): Promise<void> {
      await disk.remove(at('trial'))
      await disk.remove(at('tries'))
      await disk.remove(at('failed'))
    },
    runsWell: () => disk.remove(at('starts')),
  }
}
