import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { DocumentKeeper } from '../../../agent/link/documents.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { signDocument } from '../../../shared/signing.ts'
import { tempFolder } from '../spool/records.ts'

t.test(
  'what is held and comes again at each connection is known, past its expiry too; a forged copy is refused',
  async (t) => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const [agent, told]: [string, { outcome: string; code?: string }[]] = [newId(), []]
    let now = Date.parse('2026-01-01T00:00:00Z')
    const make = async (folder: string) => {
      const keeper = new DocumentKeeper({
        ...{ folder, agent, signingKey: publicKey, log: silentLog },
        clock: { now: () => now, sleep: async () => {} },
        report: async (_stream, records) => void told.push(...(records as unknown as typeof told)),
      })
      await keeper.load()
      return keeper
    }
    const folder = await tempFolder(t)
    const blocks = {
      ...{ kind: 'blocks', agent, revision: 1, issuedAt: '2026-01-01T00:00:00Z', expiresAt: '2026-01-01T01:00:00Z' },
      ...{ neverBlock: [], entries: [] },
    }
    const signed = signDocument(blocks, privateKey)
    const payload = Buffer.from(JSON.stringify(signed))
    const keeper = await make(folder)
    t.match(await keeper.accept('blocks', payload), { revision: 1 })
    now += 7_200_000
    t.equal(await keeper.accept('blocks', payload), undefined)
    t.equal(await (await make(folder)).accept('blocks', payload), undefined, 'after a start as well')
    t.match(told, [{ outcome: 'accepted' }])
    t.equal(told.length, 1)
    const sig = signDocument(blocks, generateKeyPairSync('ed25519').privateKey).sig
    t.equal(await keeper.accept('blocks', Buffer.from(JSON.stringify({ ...signed, sig }))), undefined)
    t.match(told.at(-1), { outcome: 'refused', code: 'DOCUMENT_FORGED' })
  },
)
