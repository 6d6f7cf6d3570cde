import { z } from 'zod'

/**
 * What is normal for a service, as far as it was seen. Each feature carries how much it rests on, so that a comparison
 * knows its uncertainty. Payload and addresses are in none of them.
 */

/** Delays, sizes: numbers of one unit. `values` are `n` observations, or an even draw of them where there were more. */
export const sampleFeature = z.object({
  form: z.literal('sample'),
  unit: z.enum(['ms', 'bytes', 'segments']),
  n: z.int().min(0),
  values: z.array(z.number()).max(512),
})
/** Things that happened in so many seconds of looking: counted per source, since one source is many dependent sessions. */
export const rateFeature = z.object({
  form: z.literal('rate'),
  count: z.int().min(0),
  seconds: z.number().positive(),
})
/** So many of so many: failed log-ins, refused requests. */
export const shareFeature = z
  .object({ form: z.literal('share'), part: z.int().min(0), of: z.int().min(0) })
  .refine(({ part, of }) => part <= of, 'a part is at most the whole')
/** How often each of a few categories was seen: partners, versions of TLS, fingerprints of clients. */
export const mixFeature = z.object({
  form: z.literal('mix'),
  counts: z
    .record(z.string().max(128), z.int().min(0))
    .refine((counts) => Object.keys(counts).length <= 64, 'at most 64'),
})
export const feature = z.discriminatedUnion('form', [sampleFeature, rateFeature, shareFeature, mixFeature])

/** What is looked at, for each service; not every service has each. */
export const featureName = z.enum([
  'session.rate',
  'request.rate',
  'request.size',
  'response.delay',
  'response.size',
  'interarrival',
  /** SYN to SYN-ACK. */
  'connect.delay',
  /** A connection's beginning to the greeting of a server that speaks first, or a TLS client's hello to its answer. */
  'handshake.delay',
  /** As announced in the SYN, and in its answer. */
  'tcp.window',
  'answer.window',
  /** SYN-ACK to what the asker answers: the way there and back, without what the answering side does. */
  'path.delay',
  'error.share',
  'altered.share',
  /** Segments with data that came again, of all with data. */
  'repeat.share',
  /** JA4 or HASSH of who asks, and its JA3. */
  'client.kind',
  'client.ja3',
  /** What the answering side chose: TLS version and cipher, or its own HASSH. */
  'handshake.kind',
  /** Flags of TCP segments from who asks (`>`) and who answers (`<`), each once a conversation. */
  'flag.kind',
  'name.kind',
  'partner.kind',
])
export const profile = z.partialRecord(featureName, feature)

export type Feature = z.infer<typeof feature>
export type FeatureName = z.infer<typeof featureName>
export type SampleFeature = z.infer<typeof sampleFeature>
export type Profile = z.infer<typeof profile>
