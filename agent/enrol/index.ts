export { type EnrolOptions, enrol } from './enrol.ts'
export { type Identity, identityFile, identityIfThere, loadIdentity } from './identity.ts'
export { fetchPinnedCa } from './pinned-ca.ts'
export { type EnrolToken, readAddress, readToken } from './token.ts'
