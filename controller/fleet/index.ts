export { fleetAged } from './aged.ts'
export {
  type Agent,
  findAgent,
  listAgents,
  noteHello,
  renameAgent,
  revokeAgent,
  setPresence,
  typedName,
} from './agents.ts'
export { decide, findWaiting, type WaitingBox, waitingBoxes } from './approval.ts'
export { type Authority, makeAuthority, openAuthority } from './authority.ts'
export { admit, givenTo, isPresent, type Peer, renew, revokedCertificates } from './certificates.ts'
export { type Invitation, type MadeClaim, makeClaim, type Role, tokenText } from './claims.ts'
export {
  type BlocksContent,
  type Desired,
  type DesiredPorts,
  type DocumentKind,
  makeDesired,
  type PlanContent,
} from './desired.ts'
export { type Deviation, decoyCounts, deviationsOfAll } from './deviations.ts'
export { type EnrolAnswer, type EnrolRequest, enrol, makeEnrolServer } from './enrol-server.ts'
export { noteEvent } from './history.ts'
export { initController } from './init.ts'
export { type InventoryRow, inventory } from './inventory.ts'
export { type Moved, moveAgent } from './move.ts'
export { makePresence } from './presence.ts'
export { type RefusedClaim, refusalWords } from './refused-claims.ts'
export { makeReissue } from './reissue.ts'
export { claimReplacement } from './replace.ts'
export { makeRequests } from './requests.ts'
export { markRevoked, removeAgent } from './revoke.ts'
export { isSelected, selection, stateOf } from './selection.ts'
export { type SiteDifference, type SitePlan, siteDifferences, siteName, sitePlan, templateName } from './site-plan.ts'
export { findTemplate, listTemplates, removeTemplate, type SiteTemplate, saveTemplate } from './site-templates.ts'
export { findSite, listSites, plannedSegments, planSite, plansNoDrift, type Site, unplanSite } from './sites.ts'
export { type LastWord, lastWords, standingProjector } from './standing.ts'
export { careTables, certificateTables, codeTables, fleetTables, keyTables, lateTables } from './tables.ts'
export { changeTags, tag, tagsOf, tagsOfAll } from './tags.ts'
export { acceptConfig, keyHeldBy, noteTold, type Told, toldOfAll } from './told.ts'
export { boxWords, compareHardware, makeTakeovers, type Twins } from './twins.ts'
