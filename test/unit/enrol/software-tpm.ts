import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, watch } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A real TPM 2.0 in software (swtpm), in a folder of its own. Whoever asks for the TPM of this box gets it while it runs. */
export async function softwareTpm(t: Pick<Test, 'teardown'>) {
  const folder = await mkdtemp(join(tmpdir(), 'tpm-'))
  const [socket, control] = [join(folder, 's'), join(folder, 's.ctrl')]
  let child: ChildProcess | undefined
  let states = 0

  async function start(state: string): Promise<void> {
    await mkdir(join(folder, state), { recursive: true })
    const watching = watch(folder)
    const serves = ['--server', `type=unixio,path=${socket}`, '--ctrl', `type=unixio,path=${control}`]
    child = spawn(
      'swtpm',
      ['socket', '--tpm2', '--tpmstate', `dir=${join(folder, state)}`, ...serves, '--flags', 'startup-clear'],
      { stdio: 'ignore' },
    )
    while (!existsSync(socket) || !existsSync(control)) await once(watching, 'change')
    watching.close()
    process.env.TPM2TOOLS_TCTI = `swtpm:path=${socket}`
  }
  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    delete process.env.TPM2TOOLS_TCTI
    if (!child) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    child = undefined
    for (const path of [socket, control]) await rm(path, { force: true })
  }
  t.teardown(async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  })
  await start('0')
  return {
    /** The same TPM after the box was switched off and on. */
    restart: async () => {
      await stop()
      await start(String(states))
    },
    /** The same TPM after somebody pulled the plug: nobody told it to shut down. */
    cut: async () => {
      await stop('SIGKILL')
      await start(String(states))
    },
    /** Another TPM: that of another box, or this one, cleared. */
    another: async () => {
      await stop()
      await start(String(++states))
    },
    /** No box has one. */
    stop: () => stop(),
  }
}
