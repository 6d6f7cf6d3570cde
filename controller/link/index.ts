export { makeAedesBroker } from './aedes-broker.ts'
export type { Broker, BrokerHandlers, TlsMaterial } from './port.ts'
export { makeRouter, type RouterPorts } from './router.ts'
