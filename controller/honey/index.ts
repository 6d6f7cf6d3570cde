export { makeHoneyProjector } from './projector.ts'
