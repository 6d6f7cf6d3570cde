export type { Arch } from './base-image.ts'
export { checkNames, type Invited } from './enrolment-files.ts'
export { type Handover, prepareHandover } from './handover.ts'
export { qrForTerminal } from './qr.ts'
