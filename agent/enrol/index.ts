export { type EnrolOptions, enrol } from './enrol.ts'
export { certificateTrouble, type Identity, identityPath, loadIdentity, type Role, role } from './identity.ts'
export { fetchPinnedCa, serverError } from './server-trust.ts'
export { parseAddress, parseToken } from './token.ts'
