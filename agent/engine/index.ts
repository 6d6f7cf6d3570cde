export { type DockerEngineDeps, makeDockerEngine } from './docker-engine.ts'
export { type KeptProcess, keepProcess } from './kept-process.ts'
export type { ContainerSpec, Engine, EngineEvent, NetworkSpec, ObservedContainer, ObservedNetwork } from './port.ts'
