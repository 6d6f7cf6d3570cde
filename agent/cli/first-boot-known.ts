import type { Finding, Known } from '../console/index.ts'
import { readWiped } from '../enrol/index.ts'
import type { Progress } from '../first-boot/index.ts'

/** What outputs are told while a box comes to belong to somebody, as it is now. */
export async function knownOf(o: {
  stateDir: string
  isEnrolled: boolean
  serial: string | undefined
  progress: Progress
  findings: readonly Finding[]
}): Promise<Partial<Known>> {
  const { progress } = o
  // Until it is given something: then how that goes is what counts.
  const wiped = progress.waitsForFile === false ? undefined : await readWiped(o.stateDir)
  return {
    enrolled: o.isEnrolled,
    serial: o.serial,
    ...progress.names,
    controller: addressOf(progress.controller),
    waitsForFile: progress.waitsForFile,
    takesCode: progress.takesCode,
    waitsForApproval: progress.waitsForApproval,
    trouble: progress.trouble,
    findings: o.findings,
    ...(wiped && { wiped }),
  }
}

export const addressOf = (at: Progress['controller']) => at && `${at.host}:${at.port}`
