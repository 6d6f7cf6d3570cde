export { type DockerEngineDeps, makeDockerEngine } from './docker-engine.ts'
export type { ContainerSpec, Engine, EngineEvent, NetworkSpec, ObservedContainer, ObservedNetwork } from './port.ts'
