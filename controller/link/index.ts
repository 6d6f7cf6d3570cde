export { makeAedesBroker } from './aedes-broker.ts'
export type { Arrivals, Broker, BrokerHandlers, TlsMaterial } from './port.ts'
export { makeRouter, type RouterPorts } from './router.ts'
