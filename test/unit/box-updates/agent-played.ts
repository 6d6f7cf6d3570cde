import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type Disk, realDisk } from '../../../agent/updates/disk.ts'
import type { Images } from '../../../agent/updates/held.ts'
import { installAgent } from '../../../agent/updates/install-agent.ts'
import { type LoadImages, loadImages } from '../../../agent/updates/install-decoys.ts'
import { openUpdates } from '../../../agent/updates/opened.ts'
import type { SystemSlots } from '../../../agent/updates/system-slots.ts'
import { makeUpdates } from '../../../agent/updates/updates.ts'
import type { Look } from '../../../agent/updates/wellness.ts'
import type { Clock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'
import type { DesiredUpdate, UpdateState } from '../../../shared/schemas/update.ts'
import { type Box, publicKey, type Started } from './box.ts'

/** Ends the life of an agent before its n-th durable change; from then on nothing of it happens any more. */
export function makeDeath(after: number) {
  const { promise, resolve } = Promise.withResolvers<'dead'>()
  let changes = 0
  return {
    dead: promise,
    changes: () => changes,
    async change<T>(work: () => Promise<T>): Promise<T> {
      if (changes >= after) {
        resolve('dead')
        return new Promise<T>(() => undefined)
      }
      changes++
      return work()
    },
  }
}
export type Death = ReturnType<typeof makeDeath>

/** Short waits pass at once; long ones do not come to their end. */
export const hastyClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      if (ms < 20_000) setTimeout(resolve, 2).unref()
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    }),
}

export type Played = {
  box: Box
  started: Started
  desired: DesiredUpdate | undefined
  content: Readonly<Record<string, Buffer>>
  death: Death
  look(version: string, onTrial: boolean): Look
  /** The tags of the engine's images, which outlive the agent. */
  tags?: Map<string, string>
  shipped?: Images
  slots?: SystemSlots
  reboot?(): void
  onState(state: UpdateState): void
}

/** An engine's tags alone: what an archive brings is called as its tags are, each a change of its own. */
function playEngine(tags: Map<string, string>, death: Death): LoadImages['engine'] {
  const set = (tag: string, id: string) => death.change(async () => void tags.set(tag, id))
  return {
    imageId: async (image) => tags.get(image) ?? [...tags.values()].find((id) => id === image),
    tagImage: (id, tag) => set(tag, id),
    async loadImage(file) {
      const { stdout } = await promisify(execFile)('tar', ['-xOf', file, 'manifest.json'])
      for (const { RepoTags } of JSON.parse(stdout) as { RepoTags: string[] }[])
        for (const tag of RepoTags) await set(tag, `new ${tag}`)
    },
  }
}

/** The updates of one life of an agent, as its own process would do them; the rest of the agent is left out. */
export async function playAgent(o: Played) {
  const { box, started, death } = o
  const disk: Disk = {
    write: (path, text) => death.change(() => realDisk.write(path, text)),
    remove: (path) => death.change(() => realDisk.remove(path)),
    move: (from, to) => death.change(() => realDisk.move(from, to)),
  }
  const opened = await openUpdates({
    ...{
      stateDir: box.stateDir,
      clock: hastyClock,
      log: silentLog,
      version: started.version,
      keepsDecoys: o.tags !== undefined,
      disk,
    },
    ...(o.slots && { slots: o.slots }),
    processEnv: {
      MARSHLIGHT_LAUNCHER: '1',
      ...{ MARSHLIGHT_RUNS: started.runs, MARSHLIGHT_BASE: started.base, MARSHLIGHT_TRIAL: started.trial ?? '' },
    },
  })
  const updates = makeUpdates({
    ...{ stateDir: box.stateDir, opened, clock: hastyClock, random: () => 0.5, log: silentLog },
    async report(_, records) {
      await death.change(async () => undefined)
      for (const record of records) if ('type' in record && record.type === 'update') o.onState(record)
    },
    heldUpdate: () => o.desired,
    look: () => o.look(started.version, started.trial !== undefined),
    rules: { steadyMs: 0, marginMs: 29_960 },
    hands: async () => ({
      box: async () => ({
        ...{ keys: [publicKey], running: opened.running(), highest: opened.held().highest },
        ...{ hasLauncher: true, hasSlots: o.slots !== undefined, keepsDecoys: o.tags !== undefined },
      }),
      async fetch({ name, file, from, bytes, onBytes }) {
        const content = o.content[name] ?? Buffer.alloc(bytes)
        for (const end of [Math.floor((from + bytes) / 2), bytes]) {
          await death.change(() => writeFile(file, content.subarray(0, end)))
          onBytes(end)
        }
      },
      installAgent: (part, file, inUse) => installAgent({ disk, stateDir: box.stateDir, part, file, inUse }),
      loadImages: (part, file) =>
        loadImages({
          ...{ engine: playEngine(o.tags ?? new Map(), death), part, file },
          inUse: { ...o.shipped, ...opened.images },
          kept: opened.held().current?.tagsBefore ?? {},
          async keep(tagsBefore) {
            const held = opened.held()
            if (held.current) await opened.save({ ...held, current: { ...held.current, tagsBefore } })
          },
        }),
      async dropImages(tags) {
        for (const tag of tags) await death.change(async () => o.tags?.delete(tag))
      },
      reboot: async () => o.reboot?.(),
    }),
  })
  await updates.start(new AbortController().signal)
  return { opened, updates }
}
