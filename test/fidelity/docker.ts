import { command } from '../lab/cowrie-pod.ts'

/** What the engine's client wrote, both streams: `docker logs` tells on the one what the container told on it. */
export async function docker(...args: string[]): Promise<string> {
  const done = await command('docker', args)
  if (done.code !== 0) throw new Error(`docker ${args.slice(0, 4).join(' ')}: ${done.err.slice(-800)}`)
  return `${done.out}${args[0] === 'logs' ? done.err : ''}`.trim()
}
