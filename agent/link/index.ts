export { type LinkDeps, type LinkOptions, makeLink } from './link.ts'
export type { Link, LinkHandlers, LinkStanding } from './port.ts'
