/**
 * Stands in for Cowrie: appends event lines to `<out>/events/events-<n>.jsonl`, one write a line, a new file at every start
 * and every so many lines, until it is killed or told to end. Cowrie's writes are whole; here some lines are written in
 * two pieces with time between, so that a kill leaves a torn one. Each file has a second name in `kept`, so that what
 * was written is still known when the agent has removed the first.
 *
 *   node writer.ts OUT KEPT SEED
 */
import { closeSync, constants, linkSync, openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../../shared/random.ts'
import { fileName, fileNumber, lineOf } from './lines.ts'

const [out = '', kept = '', seed = ''] = process.argv.slice(2)
const run = Math.max(0, ...readdirSync(kept).map(fileNumber)) + 1
const random = seededRandom(`${seed} ${run}`)
const perSecond = 500 + random() * 1500
const linesOfFile = 200 + Math.floor(random() * 800)
const tickMs = 5
const append = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND

let number = run
let file = roll()
let serial = 0
let rest: Buffer | undefined
let ending = false

function roll(): number {
  const path = join(kept, fileName(number))
  const opened = openSync(path, append)
  linkSync(path, join(out, 'events', fileName(number)))
  return opened
}

function finishLine(): void {
  if (rest) writeSync(file, rest)
  rest = undefined
}

function writeLine(torn: boolean): void {
  if (serial > 0 && serial % linesOfFile === 0) {
    closeSync(file)
    number++
    file = roll()
  }
  const line = Buffer.from(`${JSON.stringify(lineOf(run, serial++, random))}\n`)
  const cut = torn ? 1 + Math.floor(random() * (line.length - 1)) : line.length
  writeSync(file, line.subarray(0, cut))
  if (torn) rest = line.subarray(cut)
}

process.once('SIGTERM', () => {
  ending = true
})
// Whoever started it is gone: nobody would end it.
process.once('disconnect', () => process.exit())
process.send?.('writing')
const began = performance.now()
const timer = setInterval(() => {
  finishLine()
  if (ending) {
    clearInterval(timer)
    if (process.connected) process.disconnect()
    return
  }
  const due = Math.floor(((performance.now() - began) / 1000) * perSecond) - serial
  for (let i = 0; i < due; i++) writeLine(i === due - 1 && random() < 0.9)
}, tickMs)
