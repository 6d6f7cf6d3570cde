import { Writable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { writeToStream } from 'mqtt-packet'
import t from 'tap'
import { boundMqttMemory } from '../../../shared/mqtt-memory.ts'

const limit = 2_000_000

t.test('messages of many lengths leave next to nothing behind', async (t) => {
  boundMqttMemory()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const sent = (length: number) => {
    writeToStream(
      { cmd: 'publish', topic: 'a', payload: 'x'.repeat(length), qos: 0, dup: false, retain: false },
      nowhere,
    )
    // Other small buffers, as a working process takes them: what lies between two messages.
    for (let i = 0; i < 40; i++) Buffer.allocUnsafe(1000)
  }
  sent(1)
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (let length = 2; length < 2000; length++) sent(length)
  await new Promise((resolve) => nowhere.end(resolve))
  const kept = () => process.memoryUsage().arrayBuffers - before
  // What is freed is told by a thread of the collector's own, some turns later.
  for (let turn = 0; turn < 50 && kept() > limit; turn++) {
    await new Promise(setImmediate)
    collect()
  }
  t.ok(kept() <= limit, `${kept()} bytes are kept after 2,000 lengths`)
})
