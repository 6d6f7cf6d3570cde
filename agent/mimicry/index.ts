export { type MimicryDeps, type MimicrySubject, makeMimicry } from './mimicry.ts'
export { makeSeenPatterns, type SeenPatterns } from './seen.ts'
export { agentOf } from './user-agent.ts'
