import t from 'tap'
import { knownOf } from '../../../agent/cli/first-boot-known.ts'
import { viewOf } from '../../../agent/console/state.ts'
import { forgetWiped, saveWiped } from '../../../agent/enrol/index.ts'
import type { Progress } from '../../../agent/first-boot/index.ts'
import { newId } from '../../../shared/ids.ts'
import { tempFolder } from '../spool/records.ts'

const card = { name: 'eth0', signal: true, address: '198.18.3.10' }
const order = { v: 1 as const, name: 'gate-1', roles: ['decoys' as const], serial: 'ab', reason: 'stolen' }

t.test('a box that was taken back says how far that is, and what is wrong with what it is given since', async (t) => {
  const stateDir = await tempFolder(t)
  const keep = (done: boolean) => saveWiped(stateDir, { ...order, agent: newId(), at: '2026-01-01T00:00:00Z', done })
  let progress: Progress = {}
  const seen = async () =>
    viewOf({
      ...{ version: '1', card },
      ...(await knownOf({ stateDir, isEnrolled: false, serial: 's', progress, findings: [] })),
    })
  await keep(false)
  t.match(await seen(), { state: 'wiped', why: 'stolen', next: /^Not all .* new enrolment file/ })
  await keep(true)
  t.match(await seen(), { state: 'wiped', why: 'stolen', next: /^It holds nothing any more/ })

  const trouble = { message: 'it is cut off', next: 'Ask the administrator for a new file.' }
  progress = { waitsForFile: true, takesCode: true, trouble }
  t.match(await seen(), { state: 'no-file', why: trouble.message, next: trouble.next })
  progress = { waitsForFile: true, trouble: { ...trouble, code: 'TOKEN_USED' } }
  t.match(await seen(), { state: 'no-file', why: trouble.message, next: trouble.next })
  progress = { waitsForFile: false, takesCode: false }
  t.match(await seen(), { state: 'starting' }, 'a code is tried')
  progress = { waitsForFile: true }
  t.match(await seen(), { state: 'wiped' })
  await forgetWiped(stateDir)
  t.match(await seen(), { state: 'no-file' })
})
