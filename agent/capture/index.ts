export { decode, numberOf, type Segment } from './decode.ts'
export { makeFlows } from './flows.ts'
export { makePcapReader, type Packet } from './pcap.ts'
