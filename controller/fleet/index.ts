export {
  type Agent,
  findAgent,
  listAgents,
  mayConnect,
  noteHello,
  renameAgent,
  revokeAgent,
  revokedCertificates,
  setPresence,
} from './agents.ts'
export { type Authority, makeAuthority, openAuthority } from './authority.ts'
export { type Invitation, makeClaim, type Role, tokenText } from './claims.ts'
export {
  type BlocksContent,
  type Desired,
  type DesiredPorts,
  type DocumentKind,
  makeDesired,
  type PlanContent,
} from './desired.ts'
export { type EnrolAnswer, type EnrolRequest, enrol, makeEnrolServer } from './enrol-server.ts'
export { initController } from './init.ts'
export { makeRequests } from './requests.ts'
export { fleetTables } from './tables.ts'
