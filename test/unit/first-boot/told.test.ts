import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { takeBack } from '../../../agent/cli/moved-back.ts'
import { viewOf } from '../../../agent/console/state.ts'
import { keyPath, saveIdentity } from '../../../agent/enrol/identity.ts'
import { keepBegun, readBegun } from '../../../agent/first-boot/begun.ts'
import type { FirstBootDeps } from '../../../agent/first-boot/index.ts'
import { readKeptSite, saveKeptSite } from '../../../agent/kept-site.ts'
import { tokenText } from '../../../controller/fleet/index.ts'
import { codeText } from '../../../shared/enrolment-code.ts'
import { writeFileAtomic } from '../../../shared/files.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { makeTestPki } from '../../integration/agent-test-pki.ts'
import { type Box, boot, makeBox } from '../../integration/first-boot-box.ts'
import { tempFolder } from '../spool/records.ts'

const pki = await makeTestPki()
const card = { name: 'eth0', signal: true, address: '198.18.3.10' }

/** Another box's file. */
function otherFile(): string {
  const exp = new Date(Date.now() + 3_600_000).toISOString()
  const controller = '127.0.0.1:1'
  const claim = tokenText({ id: 'c1', secret: 's', ca: 'ab'.repeat(32), exp, controller })
  return JSON.stringify({ marshlight: 1, claim, controller, site: 'elsewhere', segment: 'office' })
}

/** A box that is enrolled, with `key` as what stands in its key's file. */
async function enrolled(t: Test, key: string, file?: string) {
  const box = makeBox(await tempFolder(t), file)
  const agent = newId()
  const { certificate, key: opened } = await pki.agentPair(agent)
  await writeFileAtomic(keyPath(box.stateDir), key)
  const at = { host: '127.0.0.1', port: 1 }
  const known = { ca: pki.ca, mqtt: at, signingKey: pki.signingPem }
  await saveIdentity(box.stateDir, { v: 1, agent, name: 'gate-1', roles: ['decoys'], certificate, ...known })
  return { ...box, key: opened }
}

/** Until it has slept as often as there is something to do meanwhile. */
async function bootFor(t: Test, box: Box, meanwhile: (() => void)[], some = {}) {
  const over = new AbortController()
  const sleep = async () => {
    const next = meanwhile.shift()
    if (next) next()
    else over.abort(new Error('seen enough'))
  }
  const deps: Partial<FirstBootDeps> = { clock: { now: Date.now, sleep }, signal: over.signal, ...some }
  const { ended, told, commands } = boot(box, deps)
  await t.rejects(ended, { message: 'seen enough' })
  return { told, commands }
}

t.test('a TPM that does not answer: told and tried again, and no settings of another box’s file taken', async (t) => {
  const bytes = 'AAAA'
  const sealed = { v: 1, heldBy: 'tpm2', public: bytes, private: bytes, iv: bytes, tag: bytes, key: bytes }
  const box = await enrolled(t, JSON.stringify(sealed), otherFile())
  process.env.TPM2TOOLS_TCTI = 'swtpm:path=/nowhere'
  t.teardown(() => void delete process.env.TPM2TOOLS_TCTI)
  const { told, commands } = await bootFor(t, box, [() => {}])
  t.match(told, [{ trouble: { code: 'TPM_FAILED' } }, { trouble: { code: 'TPM_FAILED' } }])
  t.equal(await readKeptSite(box.stateDir), undefined)
  t.same(commands, [])
  t.same((await readdir(join(box.stateDir, 'identity'))).sort(), ['identity.json', 'key.pem'])
})

t.test('a TPM that fails for good is waited for, but not where a new file is there', async (t) => {
  const bytes = 'AAAA'
  const sealed = { v: 1, heldBy: 'tpm2', public: bytes, private: bytes, iv: bytes, tag: bytes, key: bytes }
  process.env.TPM2TOOLS_TCTI = 'swtpm:path=/nowhere'
  t.teardown(() => void delete process.env.TPM2TOOLS_TCTI)
  const looks = Array.from({ length: 12 }, () => () => {})
  const last = async (file?: string) => {
    const box = await enrolled(t, JSON.stringify(sealed), file)
    await saveKeptSite(box.stateDir, { v: 1, site: 'hq' })
    await keepBegun(box.stateDir, 'its own')
    const { told } = await bootFor(t, box, [...looks])
    const { stateDir, key } = box
    return { stateDir, key, trouble: told.at(-1)?.trouble, site: (await readKeptSite(stateDir))?.site }
  }
  t.match(await last(), { trouble: { code: 'TPM_FAILED', next: /agents replace/ }, site: 'hq' })
  const { stateDir, key, ...found } = await last(otherFile())
  t.match(found, { trouble: { code: 'CONTROLLER_UNREACHABLE' }, site: 'elsewhere' })
  t.equal(await takeBack({ stateDir, log: silentLog }), false, 'its TPM fails still')
  await writeFileAtomic(`${keyPath(stateDir)}.sealed-elsewhere`, key)
  t.equal(await takeBack({ stateDir, log: silentLog }), true)
  t.equal((await readKeptSite(stateDir))?.site, 'hq', 'the settings of its own site came back with it')
  t.equal(await readBegun(stateDir), 'its own', 'and so did the claim that it came by')
})

t.test('a box whose key does not open any more says so while it waits for a new file', async (t) => {
  const box = await enrolled(t, '{}')
  const { told } = await bootFor(t, box, [() => {}])
  for (const { trouble, waitsForFile } of told) {
    t.match(trouble, { code: 'KEY_SEALED_ELSEWHERE', next: /agents replace/ })
    const view = viewOf({ version: '1', card, waitsForFile, trouble })
    t.match(view, { state: 'no-file', title: /cannot open its key/ })
  }
})

t.test('a code that was turned down is told until something else is found, and then no more', async (t) => {
  const box = makeBox(await tempFolder(t))
  const code = codeText({ secret: '01234567', verifier: '0123456789AB' })
  const queue = [{ controller: '127.0.0.1:1', code }]
  const files: { where: string; text: string; overwrite(): Promise<void> }[] = []
  const bad = { where: 'a stick', text: 'x', overwrite: async () => {} }
  const meanwhile = [() => {}, () => void files.push(bad), () => void files.pop()]
  const some = { look: async () => [...files], takeTyped: () => queue.shift() }
  const { told } = await bootFor(t, box, meanwhile, some)
  const troubles = told.filter(({ takesCode }) => takesCode).map(({ trouble }) => trouble?.code)
  t.same(troubles, ['CONTROLLER_UNREACHABLE', 'CONTROLLER_UNREACHABLE', 'ENROLMENT_FILE_INVALID', undefined])
})
