export { defaultNicFilter, type Nic, type NicFilter, readInterfaces } from './interfaces.ts'
export { reverseDns } from './names.ts'
export type { Scanner, ScannerOptions, ScanRequest } from './port.ts'
export { makeScanner } from './scanner.ts'
