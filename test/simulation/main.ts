import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makePageSharingProbe, putPageSharingBack } from '../../agent/health/index.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { demoName, runDemo } from './demo.ts'
import { down } from './lab/index.ts'
import { summaryText } from './summary.ts'
import { makeTimeline } from './timeline.ts'

const help = `npm run demo -- [options]: the whole of Marshlight as a simulation on this machine.

  --json   print the summary as one JSON object on standard output; the story goes to standard error
  --keep   leave everything running and say what to look at
  --down   remove every trace of it
`

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    down: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** What the demo changed of this machine itself. */
const stateDir = join(import.meta.dirname, '../../.cache/demo')
const timeline = makeTimeline(process.stderr, () => Date.now())

if (values.help) process.stdout.write(help)
else if (values.down) {
  await allGone().then(() => process.stderr.write('Every container, network and volume of the demo is gone.\n'), failed)
} else {
  const leaving = new AbortController()
  const leave = () => {
    if (!leaving.signal.aborted) process.stderr.write('\nLeaving: what was made is removed first.\n')
    leaving.abort(new Error('broken off'))
  }
  process.on('SIGINT', leave).on('SIGTERM', leave).on('SIGHUP', leave)
  // Nobody may be reading any more: that is no reason to leave everything standing.
  process.stderr.on('error', () => {})
  // Its appliances would set it going, and are gone before they could put it back.
  await makePageSharingProbe({ stateDir }).measure()
  try {
    const summary = await runDemo(timeline, { keep: values.keep, signal: leaving.signal })
    if (leaving.signal.aborted) await brokenOff()
    process.stdout.write(values.json ? `${JSON.stringify(summary)}\n` : summaryText(summary))
    if (summary.steps.some(({ ok }) => !ok)) process.exitCode = 1
  } catch (error) {
    if (leaving.signal.aborted) await brokenOff()
    failed(error)
  }
  if (!values.keep) await putPageSharingBack({ stateDir }).catch(failed)
}

async function allGone(): Promise<void> {
  await down(demoName)
  await putPageSharingBack({ stateDir })
}

/** What the story still had under way when it was broken off may have come after; whoever breaks off keeps no images. */
async function brokenOff(): Promise<never> {
  await allGone().catch(failed)
  process.exit(130)
}

function failed(error: unknown): void {
  process.stderr.write(`\ndemo: ${wordsOf(error)}\n`)
  if (error instanceof MarshlightError) process.stderr.write(`  ${error.next}\n`)
  process.exitCode = 1
}
