import { spawn } from 'node:child_process'
import { answerers, ask } from './programs.ts'

const card = 'marsh-doctor'

/**
 * A further address with a MAC of its own on the card's segment, as a decoy has it, and who answers there to a question
 * for `target`; `taken` where the address is another's, whom nobody but a macvlan card can hear: a decoy on this card.
 *
 *   unshare -> [ a network of its own, held by a process that ends with us ] <- macvlan card, made in there
 *
 * The network goes with the process, and the card with the network: nothing is left, however this ends.
 * Throws where the card cannot be made.
 */
export async function askFromSecondPlace(
  { nic, mac, ip, prefix, target }: { nic: string; mac: string; ip: string; prefix: number; target: string },
  signal: AbortSignal,
): Promise<string[] | 'taken'> {
  const holder = spawn('unshare', ['--net', '--', 'sh', '-c', 'echo ready && exec cat'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const end = () => holder.kill('SIGKILL')
  signal.addEventListener('abort', end, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      let words = ''
      holder.stderr.on('data', (text: Buffer) => {
        words = (words + text).slice(-500)
      })
      holder.stdout.once('data', () => resolve())
      holder.once('error', reject)
      holder.once('close', () => reject(new Error(words.trim() || 'unshare ended')))
    })
    const inside = ['-t', String(holder.pid), '-n', '--']
    await must(
      'ip',
      [
        'link',
        'add',
        'link',
        nic,
        'name',
        card,
        'netns',
        String(holder.pid),
        'address',
        mac,
        'type',
        'macvlan',
        'mode',
        'bridge',
      ],
      signal,
    )
    const within = (...argv: string[]) => ask('nsenter', [...inside, ...argv], signal)
    await must('nsenter', [...inside, 'ip', 'link', 'set', card, 'up'], signal)
    const probe = await within('arping', '-D', '-c', '2', '-w', '2', '-I', card, ip)
    if (answerers(probe.out).length > 0) return 'taken'
    await must('nsenter', [...inside, 'ip', 'address', 'add', `${ip}/${prefix}`, 'dev', card], signal)
    // Some switches forward nothing for the first second of an address that they have not seen.
    return answerers((await within('arping', '-f', '-c', '4', '-w', '4', '-I', card, '-s', ip, target)).out)
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

async function must(command: string, argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { code, err } = await ask(command, argv, signal)
  if (code !== 0) throw new Error(err.trim().split('\n').at(-1) || `${command} ended with ${code}`)
}
