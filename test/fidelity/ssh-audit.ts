import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Target } from './ssh-transcript.ts'

/** What `ssh-audit` (a program of others, as administrators and attackers run it) says of a server. */
export type SshAudit = {
  banner: { raw: string; protocol: string; software: string; comments: string }
  /** Algorithms in the server's order, with the sizes of keys and groups that it found by asking. */
  lists: Record<'compression' | 'enc' | 'kex' | 'key' | 'mac', unknown[]>
  /** Its whole report for people, but for the address and the fingerprints of keys, which are each host's own. */
  report: string[]
}

/** Runs it twice: for machines, and for people. It ends with 0 to 3, by how good it finds the server. */
export async function sshAudit({ host, port }: Target): Promise<SshAudit> {
  const found = JSON.parse(await ask('-j', '-p', String(port), host))
  const { banner, compression, enc, kex, key, mac } = found as { banner: SshAudit['banner'] } & SshAudit['lists']
  const report = await ask('-n', '-p', String(port), host)
  return {
    banner,
    lists: { compression, enc, kex, key, mac },
    report: report.split('\n').filter((line) => !/^\(gen\) target|^\(fin\)/.test(line)),
  }
}

async function ask(...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)('ssh-audit', args, { timeout: 60_000 })).stdout
  } catch (error) {
    const { code, stdout } = error as { code: unknown; stdout?: string }
    if (typeof code === 'number' && code <= 3 && stdout) return stdout
    throw error
  }
}
