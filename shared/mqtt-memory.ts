/**
 * Keeps the MQTT library's memory small, in agent and controller alike; before the first connection.
 *
 * It remembers the encoded length of each message, two bytes for every length below 16,384. Node cuts such small buffers
 * out of slabs of 64 KiB, and a slab is kept while any piece of it is: with other buffers cut in between, each new length
 * would hold a slab of its own, 1 GiB in the end. Slabs of 512 bytes make that 8 MiB at most.
 */
export function boundMqttMemory(): void {
  Buffer.poolSize = 512
}
