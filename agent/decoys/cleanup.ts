import { rm } from 'node:fs/promises'
import type { Engine } from '../engine/port.ts'

/** Removes all of this agent by its label, services before the pods whose network they share, then the files. */
export async function removeAll(deps: { engine: Engine; agent: string; folder: string }) {
  const { engine, agent, folder } = deps
  const containers = await engine.containers()
  const isPod = ({ labels }: (typeof containers)[number]) => labels['marshlight.kind'] === 'pod'
  for (const some of [containers.filter((one) => !isPod(one)), containers.filter(isPod)])
    for (const { id } of some) await engine.remove(id)
  const networks = (await engine.networks()).filter(({ labels }) => labels['marshlight.agent'] === agent)
  for (const { name } of networks) await engine.removeNetwork(name)
  await rm(folder, { recursive: true, force: true })
  return { containers: containers.length, networks: networks.length }
}
