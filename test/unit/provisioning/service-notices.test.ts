import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { makeServiceNotices } from '../../../agent/cli/service-notices.ts'
import type { Clock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'

/** A service manager's end of NOTIFY_SOCKET: prints a line for each thing that it is told. */
const manager = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True:
    said, held, _, _ = s.recvmsg(4096, socket.CMSG_SPACE(16))
    for _, _, fds in held:
        # A barrier: systemd-notify waits until its descriptor is closed.
        for fd in array.array("i", fds): os.close(fd)
    for line in said.decode().splitlines(): print(line, flush=True)
`

const missing = spawnSync('systemd-notify', ['--version']).error && 'this machine has no systemd-notify'

t.test('systemd is told that the agent is ready, lives, and stops', { skip: missing ?? false }, async (t) => {
  // Not in the test's own folder: a socket's path may have 107 characters.
  const folder = mkdtempSync(join(tmpdir(), 'notices-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const socket = join(folder, 'notify')
  const child = spawn('python3', ['-c', manager, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  const told: string[] = []
  const slept: number[] = []
  const enough = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      told.push(line)
      if (told.filter((one) => one === 'WATCHDOG=1').length === 3) resolve()
    })
  })
  const clock: Clock = { now: () => 0, sleep: async (ms) => void slept.push(ms) }
  const env = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '180000000', WATCHDOG_PID: String(process.pid) }
  const notices = makeServiceNotices({ env, clock, log: silentLog })

  notices.ready()
  await enough
  notices.stopping()
  while (!told.includes('STOPPING=1')) await once(lines, 'line')
  t.ok(told.includes('READY=1'))
  t.same([...new Set(slept)], [60_000], 'three signs in the time after which it is taken for dead')
})

t.test('without a service manager nothing is told, and a watchdog of another process is not fed', async (t) => {
  let signs = 0
  const sleep = async () => {
    signs += 1
    throw new Error('a sign of life was given')
  }
  for (const env of [{}, { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' }]) {
    const notices = makeServiceNotices({ env, clock: { now: () => 0, sleep }, log: silentLog })
    notices.ready()
    notices.stopping()
  }
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(signs, 0)
})
