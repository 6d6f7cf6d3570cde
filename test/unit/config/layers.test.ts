import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../../agent/config.ts'
import { readKeptSite, saveKeptSite } from '../../../agent/kept-site.ts'
import { tempFolder } from '../spool/records.ts'

t.test('what the system sets, what the site’s file said, and agent.json, each over the one before', async (t) => {
  const state = await tempFolder(t)
  const system = join(state, 'system.json')
  t.match(await loadConfig(state, system), { console: { leds: false, page: { minutes: 0 } }, proxy: undefined })
  await writeFile(
    system,
    JSON.stringify({ console: { leds: true, page: { minutes: 30 } }, health: { everySeconds: 60 } }),
  )
  t.match(await loadConfig(state, system), { console: { leds: true, page: { minutes: 30, port: 80 } } })
  await saveKeptSite(state, { v: 1, proxy: 'http://proxy:3128', statusPageMinutes: 5 })
  t.match(await loadConfig(state, system), {
    proxy: 'http://proxy:3128',
    console: { leds: true, page: { minutes: 5 } },
  })
  await writeFile(join(state, 'agent.json'), JSON.stringify({ console: { page: { minutes: 0 } }, proxy: 'http://p:1' }))
  t.match(await loadConfig(state, system), {
    proxy: 'http://p:1',
    console: { leds: true, page: { minutes: 0 } },
    health: { everySeconds: 60 },
  })
  await writeFile(system, JSON.stringify({ konsole: {} }))
  await t.rejects(loadConfig(state, system), { code: 'CONFIG_INVALID', message: /system\.json/ })
  await writeFile(system, '{')
  await t.rejects(loadConfig(state, system), { code: 'CONFIG_INVALID' })
})

t.test('kept settings that cannot be read are set aside', async (t) => {
  const state = await tempFolder(t)
  await writeFile(join(state, 'site.json'), '{"v":1,"network":')
  t.equal(await readKeptSite(state), undefined)
  t.match(await loadConfig(state, '/nowhere'), { proxy: undefined })
})
