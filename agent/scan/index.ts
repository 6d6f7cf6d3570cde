export { defaultNicFilter, type Nic, type NicFilter, readInterfaces } from './interfaces.ts'
export { makeScanner, type Scanner, type ScannerOptions, type ScanRequest } from './scanner.ts'
