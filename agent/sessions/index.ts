export { makeSessions, type Sessions, type SessionsDeps, type Source } from './sessions.ts'
