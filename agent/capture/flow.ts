import { udp } from './decode.ts'
import { everyone } from './window-groups.ts'

/** One conversation: of somebody with a port of the decoy, or of the decoy with a port elsewhere. */
export type Flow = {
  /** Whose window its features go to. */
  group: string
  /** When something was last heard; undefined before the first packet. */
  lastAt: number | undefined
  isOver: boolean
  /** When it was asked for a connection that it has not answered yet. */
  synAt: number | undefined
  /** When that was answered. */
  synAckAt: number | undefined
  /** When the asker had its connection; until the answerer says its first word. */
  readyAt: number | undefined
  /** When the answerer was last asked something that it has not answered. */
  askedAt: number | undefined
  asked: number
  answered: number
  /** The asker's last data was a TLS hello. */
  greeting: boolean
  /** The first bytes of each side, until they are told apart. */
  askerBytes: Buffer | undefined
  answererBytes: Buffer | undefined
  /** The number after the last byte that each side has sent, as far as it was seen. */
  askerNext: number | undefined
  answererNext: number | undefined
  /** Combinations of flags that were shown; those of the asker have a bit more. */
  flags: Set<number>
}

export const newFlow = (): Flow => ({
  group: everyone,
  lastAt: undefined,
  isOver: false,
  synAt: undefined,
  synAckAt: undefined,
  readyAt: undefined,
  askedAt: undefined,
  asked: 0,
  answered: 0,
  greeting: false,
  askerBytes: undefined,
  answererBytes: undefined,
  askerNext: undefined,
  answererNext: undefined,
  flags: new Set(),
})

/** A conversation that began and has no end goes on, however long it is silent: as long as sessions may idle. */
const silentMs = 3_600_000
/** Datagrams have no end: after this, the next is of a new conversation. As long as kernels remember them. */
const silentDatagramsMs = 180_000

/** How long it may be silent before it is taken for over, milliseconds. */
export function mayBeSilentMs(key: string, { isOver, synAt, readyAt }: Flow): number {
  if (key.startsWith(`${udp} `)) return silentDatagramsMs
  const neverOpened = synAt !== undefined && readyAt === undefined
  return isOver || neverOpened ? 0 : silentMs
}
