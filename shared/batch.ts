import { type BatchHead, batchHead } from './schemas/envelope.ts'

export type Batch = BatchHead & { lines: string[] }

/** Largest batch on the wire, bytes. A broker refuses more. */
export const maxBatchBytes = 1_048_576

/** A batch as bytes: head and records, one JSON document a line, newline between, none at the end. */
export function encodeBatch(head: BatchHead, lines: readonly string[]): Buffer {
  return Buffer.from(lines.length === 0 ? JSON.stringify(head) : `${JSON.stringify(head)}\n${lines.join('\n')}`)
}

/** The batch in `payload`. Its head is validated; records are left as text, for the schema of their stream. Throws on a bad head. */
export function decodeBatch(payload: Uint8Array): Batch {
  const [head, ...lines] = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    .toString('utf8')
    .split('\n')
  const parsed = batchHead.parse(JSON.parse(head ?? ''))
  if (parsed.count !== lines.length) throw new Error(`the head tells ${parsed.count} records, ${lines.length} came`)
  return { ...parsed, lines }
}
