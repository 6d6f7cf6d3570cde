export { askTime, type ControllerTime } from './controller-time.ts'
export { type EnrolOptions, enrol } from './enrol.ts'
export { readHardware } from './hardware.ts'
export {
  certificateTrouble,
  enrolAddress,
  type Identity,
  identityPath,
  isNobodys,
  keyPath,
  loadIdentity,
  lostKey,
  readStoredIdentity,
  type StoredIdentity,
  serialOf,
  setAside,
} from './identity.ts'
export { type Role, role } from './identity-roles.ts'
export { moveBack } from './moved-back.ts'
export { type Credentials, makeRenewal, type Renewal, type RenewalStanding, renewalDue } from './renewal.ts'
export { isSealed } from './sealed-key.ts'
export { fetchPinnedCa, serverError } from './server-trust.ts'
export { askStanding } from './standing.ts'
export { parseAddress, parseToken } from './token.ts'
export { tpmHere } from './tpm.ts'
export { addressOfCode, readTyped, type TypedCode, typedBefore } from './typed-code.ts'
export { forgetWiped, readWiped, saveWiped, type Wiped } from './wiped.ts'
