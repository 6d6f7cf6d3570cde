import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { verdict } from '../../../agent/cli/doctor.ts'
import { ledPatterns } from '../../../agent/console/led-patterns.ts'
import { firstCandidate } from '../../../agent/console/link-local.ts'
import { states } from '../../../agent/console/state.ts'
import { enrolmentFileName } from '../../../shared/schemas/enrolment-file.ts'
import { pictureFolder, pictures } from '../../guide/draw.ts'
import { lightRows, litTimes } from '../../guide/lights.ts'

const project = join(import.meta.dirname, '../../..')
const guide = readFileSync(join(project, 'docs/technician.md'), 'utf8')
const readme = readFileSync(join(project, 'agent/console/README.md'), 'utf8')

t.test('the guide shows what the agent shows: light, screen and doctor', async (t) => {
  for (const [name, draw] of Object.entries(pictures)) {
    const kept = readFileSync(join(pictureFolder, name), 'utf8')
    t.ok(kept === draw(), `${name} is as it would be drawn: else \`node test/guide/draw.ts\``)
    t.match(guide, `(pictures/${name})`, 'and it stands in the guide')
  }
  t.same(Object.keys(lightRows).sort(), [...states].sort(), 'each state has its row')
})

t.test('without a screen the page can be found, and it is there for as long as an update may take', async (t) => {
  t.match(guide, `\`http://${firstCandidate}/\``)
  const image = JSON.parse(readFileSync(join(project, 'provisioning/image/files/agent.json'), 'utf8'))
  t.equal(image.console.page.minutes, 60)
  t.match(guide, 'says the same for an hour after power-on')
  t.match(guide, 'three quarters of an hour at most')
  t.notMatch(guide, 'half an hour')
})

t.test('what the guide quotes is what the box says', async (t) => {
  t.match(guide, `\`${enrolmentFileName}\``)
  t.match(guide, '`All is well`')
  t.match(verdict([{ name: 'cable', ok: true, detail: '' }]), /^All is well/)
})

t.test(
  'the light’s pattern can be told from every other by eye, and the table of the room says the same',
  async (t) => {
    const shapes = states.map((state) => {
      const lit = litTimes(ledPatterns[state])
      return `${lit.length} ${Math.round((lit[0]?.[1] ?? 0) / 300)}`
    })
    t.equal(new Set(shapes).size, states.length, shapes.join(', '))
    const table = readme.slice(readme.indexOf('| light |'))
    const seconds = (state: keyof typeof ledPatterns) => {
      const pattern = ledPatterns[state]
      return pattern === 'on' ? 0 : (pattern.on + pattern.off) / 1000
    }
    t.match(table, `a flash every ${seconds('no-cable')} s, ${seconds('no-address')} s, ${seconds('no-controller')} s`)
    t.match(table, `a flash every ${seconds('wiped')} s`)
    t.match(table, `every ${['', '', 'two'][seconds('waiting-for-approval')]} seconds`)
  },
)
