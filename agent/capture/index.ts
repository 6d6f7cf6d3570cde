export { makeConversations, type SeenConversation } from './conversations.ts'
export { decode, numberOf, type Segment } from './decode.ts'
export { makeFlows } from './flows.ts'
export { makePcapReader, type Packet } from './pcap.ts'
