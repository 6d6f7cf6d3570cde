import { execFile, spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { CleanUp } from './clean-up.ts'
import { end } from './controller.ts'
import { until } from './until.ts'

const run = promisify(execFile)
export type OwnEngine = { pid: number; socket: string }

/**
 * A Docker Engine of its own with all its data in `folder`, set as the image sets an appliance's: no bridge, no packet
 * filters, no logs of containers. It ends last of all that is made with it.
 */
export async function startOwnEngine(cleanUp: CleanUp, folder: string): Promise<OwnEngine> {
  const place = join(folder, 'engine')
  mkdirSync(place)
  // What lies in memory on any system; a socket's path is short.
  const running = mkdtempSync('/run/marshlight-bench-')
  cleanUp.add(() => rmSync(running, { recursive: true, force: true }))
  const socket = join(running, 'docker.sock')
  const log = openSync(join(place, 'engine.log'), 'w')
  const child = spawn(
    'dockerd',
    [
      ...['--host', `unix://${socket}`, '--data-root', join(place, 'data'), '--exec-root', join(running, 'exec')],
      ...['--pidfile', join(running, 'docker.pid'), '--log-level', 'error'],
      ...['--config-file', join(import.meta.dirname, '../../provisioning/image/files/docker-daemon.json')],
    ],
    { stdio: ['ignore', log, log] },
  )
  closeSync(log)
  cleanUp.add(() => end(child, 20_000))
  const answers = () => run('docker', ['--host', `unix://${socket}`, 'version'])
  await until(
    () =>
      answers().then(
        () => true,
        () => false,
      ),
    'the engine answers',
    90,
  )
  return { pid: child.pid ?? 0, socket }
}
