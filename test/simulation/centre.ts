import type { Lab } from './lab/index.ts'

/** The administrator's command line, run where the controller runs. */
export type Centre = {
  /** `marshlight --json ARGS`, parsed. Throws with the command's own words when it fails. */
  ask<T>(...args: string[]): Promise<T>
}

export function centreOf(lab: Lab): Centre {
  return {
    async ask<T>(...args: string[]): Promise<T> {
      const { code, stdout, stderr } = await lab.exec('controller', ['marshlight', '--json', ...args])
      if (code !== 0) throw new Error(`marshlight ${args.join(' ')}: ${stderr.trim() || `ended with ${code}`}`)
      return JSON.parse(stdout) as T
    },
  }
}
