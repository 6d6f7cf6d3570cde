import { parseArgs } from 'node:util'
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

const timeline = makeTimeline(process.stderr, () => Date.now())

if (values.help) process.stdout.write(help)
else if (values.down) {
  await down(demoName).then(
    () => process.stderr.write('Every container, network and volume of the demo is gone.\n'),
    failed,
  )
} else {
  const leave = () => void down(demoName).finally(() => process.exit(130))
  process.once('SIGINT', leave).once('SIGTERM', leave)
  try {
    const summary = await runDemo(timeline, { keep: values.keep })
    process.stdout.write(values.json ? `${JSON.stringify(summary)}\n` : summaryText(summary))
    if (summary.steps.some(({ ok }) => !ok)) process.exitCode = 1
  } catch (error) {
    failed(error)
  }
}

function failed(error: unknown): void {
  process.stderr.write(`\ndemo: ${wordsOf(error)}\n`)
  if (error instanceof MarshlightError) process.stderr.write(`  ${error.next}\n`)
  process.exitCode = 1
}
