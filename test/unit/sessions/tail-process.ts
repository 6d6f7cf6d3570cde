import { makeSessions } from '../../../agent/sessions/index.ts'
import { makeSpool } from '../../../agent/spool/index.ts'
import { systemClock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'

/** The process that the kill test kills: sessions on a real spool. Arguments: state folder, out folder, decoy, persona. */
const [stateDir = '', outDir = '', id = '', persona = ''] = process.argv.slice(2)
const spool = makeSpool({ folder: `${stateDir}/spool`, clock: systemClock, log: silentLog })
const sessions = makeSessions({
  spool,
  log: silentLog,
  clock: systemClock,
  stateDir,
  decoys: () => [{ id, outDir, persona, personaVersion: 1, revision: 1 }],
})
const { signal } = new AbortController()
await spool.start(signal)
await sessions.start(signal)
process.stdout.write('started\n')
