import { spawn } from 'node:child_process'
import { cpus } from 'node:os'

/**
 * Keeps the processors of the machine from sleeping while something is watched that takes microseconds: a sleeping one of a
 * virtual machine takes a third of a millisecond to wake. One loop each, by a policy (SCHED_IDLE) under which whatever else
 * wants to run does so at once; it ends by itself after `seconds`. Gives what ends it before.
 */
export function keepAwake(seconds: number): () => void {
  const loops = cpus().map((_, cpu) =>
    spawn(
      'taskset',
      ['-c', `${cpu}`, 'chrt', '-i', '0', 'timeout', `${seconds}`, 'sh', '-c', 'while :; do :; done'],
      // A group of its own: what `timeout` began ends with it.
      { stdio: 'ignore', detached: true },
    ),
  )
  return () => {
    for (const { pid } of loops) if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  }
}
