import { copyFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder, writeFileAtomic } from '../../shared/files.ts'
import { readCursor } from './cursor.ts'
import { encodeFrame, type Frame, linesOf, type Scan, scanFrames } from './frame.ts'
import { addLoss, gapsBetween, type Losses, lossesFrom } from './losses.ts'
import type { Positions } from './port.ts'
import { isSegmentName, type Segment, segmentOf } from './segment.ts'

export type SetAside = { path: string; aside: string; why: string }
export type Recovered = {
  epoch: string
  fresh: boolean
  acknowledged: number
  next: number
  losses: Losses
  positions: Map<string, { file: string; offset: number }>
  segments: Segment[]
  setAside: SetAside[]
}

const keptCorruptFiles = 4

/**
 * A stream's standing from what is on disk. Whatever cannot be read is set aside and its numbers are told as lost: all
 * numbers between the acknowledgement and the last one known are in a frame or in a loss, by construction.
 */
export async function recoverStream(folder: string, deps: { now: number; newEpoch: () => string }): Promise<Recovered> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const setAside: SetAside[] = []
  const { cursor, damage } = await readCursor(folder, deps.now)
  if (damage) setAside.push(damage)
  const names = (await readdir(folder)).filter(isSegmentName).sort()

  let epoch = cursor?.epoch
  const positions: Recovered['positions'] = new Map(Object.entries(cursor?.positions ?? {}))
  const segments: Segment[] = []
  const ranges: [number, number][] = []
  let lostAtEnd = 0
  for (const [index, name] of names.entries()) {
    const path = join(folder, name)
    const bytes = await readFile(path)
    const scan = scanFrames(bytes)
    const told = scan.frames[0]?.head.epoch
    if (scan.frames.length === 0 || (epoch !== undefined && told !== undefined && told !== epoch)) {
      lostAtEnd = scan.damage.reduce((sum, part) => sum + part.records, 0)
      if (scan.tail > 0 || scan.damage.length > 0)
        setAside.push(await putAside(path, deps.now, 'no frame in it can be read'))
      else await rm(path)
      continue
    }
    epoch ??= told
    const last = scan.damage.at(-1)
    lostAtEnd = last && last.end === scan.tail ? last.records : 0
    if (scan.damage.length > 0) setAside.push(await keepReadable(path, bytes, scan, deps.now))
    else if (scan.tail < bytes.length) await cut(path, scan.tail, index === names.length - 1)
    const readable = scan.damage.length > 0 ? scanFrames(await readFile(path)) : scan
    segments.push(segmentOf(path, readable, cursor?.next ?? 0))
    for (const frame of readable.frames) {
      takePositions(positions, frame)
      ranges.push([frame.head.first, frame.head.first + frame.head.count])
    }
  }
  const acknowledged = cursor?.acknowledged ?? segments[0]?.first ?? 0
  let losses: Losses = lossesFrom(cursor?.losses ?? [], acknowledged)
  const known = Math.max(acknowledged, cursor?.next ?? 0, segments.at(-1)?.end ?? 0, (losses.at(-1)?.to ?? -1) + 1)
  const next = Math.max(known, (segments.at(-1)?.end ?? cursor?.next ?? 0) + lostAtEnd)
  for (const [from, end] of gapsBetween(acknowledged, next, ranges, losses))
    losses = addLoss(losses, { from, to: end - 1, reason: 'corrupt' })
  const fresh = epoch === undefined
  await removeOldCorrupt(folder)
  return { epoch: epoch ?? deps.newEpoch(), fresh, acknowledged, next, losses, positions, segments, setAside }
}

function takePositions(positions: Recovered['positions'], { head }: Frame): void {
  if (head.epoch) positions.clear()
  for (const [source, position] of Object.entries(head.positions ?? ({} as Positions))) positions.set(source, position)
  for (const source of head.forget ?? []) positions.delete(source)
}

async function putAside(path: string, now: number, why: string): Promise<SetAside> {
  const aside = `${path}.corrupt-${now}`
  await rename(path, aside)
  return { path, aside, why }
}

/** Keeps a copy of the damaged file, then puts its readable frames in its place. */
async function keepReadable(path: string, bytes: Buffer, scan: Scan, now: number): Promise<SetAside> {
  const aside = `${path}.corrupt-${now}`
  // On a full disk the copy may not fit; the readable frames matter more than the evidence.
  await copyFile(path, aside).catch(() => rm(aside, { force: true }))
  await writeFileAtomic(path, Buffer.concat(scan.frames.map((frame) => alone(bytes, frame))))
  const where = scan.damage.map((part) => `${part.offset} to ${part.end}`).join(', ')
  return { path, aside, why: `bytes ${where} do not fit their checksum` }
}

/** A readable frame with nothing said of its write, parts of which are gone. */
function alone(bytes: Buffer, { head, offset, size, payload }: Frame): Buffer {
  const { back, ...rest } = head
  return back === undefined ? bytes.subarray(offset, offset + size) : encodeFrame(rest, linesOf(payload))
}

/** Cuts a frame that a crash left unfinished: its append never resolved. */
async function cut(path: string, length: number, newest: boolean): Promise<void> {
  if (!newest) return
  const file = await open(path, 'r+')
  try {
    await file.truncate(length)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function removeOldCorrupt(folder: string): Promise<void> {
  const corrupt = (await readdir(folder)).filter((name) => name.includes('.corrupt-')).sort(byTime)
  for (const name of corrupt.slice(0, -keptCorruptFiles)) await rm(join(folder, name), { force: true })
  await syncFolder(folder)
}
const byTime = (a: string, b: string) => Number(a.split('.corrupt-')[1]) - Number(b.split('.corrupt-')[1])
