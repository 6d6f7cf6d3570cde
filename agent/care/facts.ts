import { readFile, statfs } from 'node:fs/promises'
import { cpus, hostname, loadavg, networkInterfaces, release, totalmem, uptime } from 'node:os'
import { wordsOf } from '../../shared/errors.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { Engine } from '../engine/port.ts'
import { said } from './journal.ts'

/** Read whole, but no more than so much is wanted of any file of the system. */
const fileBytes = 65_536
const programs = ['nmap', 'tcpdump', 'nft', 'ip', 'arping', 'systemctl', 'journalctl', 'chronyc', 'vcgencmd']

export async function versions(agent: string): Promise<object> {
  const [os, model, command] = await Promise.all(
    ['/etc/os-release', '/proc/device-tree/model', '/proc/cmdline'].map(textOf),
  )
  const found = await Promise.all(programs.map(async (name) => [name, await versionOf(name)] as const))
  return {
    agent,
    node: process.version,
    kernel: release(),
    arch: process.arch,
    os,
    ...(model && { model: model.replaceAll('\0', '') }),
    bootedWith: command,
    programs: Object.fromEntries(found),
  }
}

/** Programs call the question for their version differently; the first line of the first that answers. */
async function versionOf(name: string): Promise<string | null> {
  for (const ask of ['--version', '-V', 'version']) {
    const [line] = (await said(name, [ask]))?.split('\n') ?? []
    if (line) return line.slice(0, 200)
  }
  return null
}

export async function machine(stateDir: string): Promise<object> {
  const disk = await statfs(stateDir)
  const mb = (blocks: number) => Math.round((blocks * disk.bsize) / 1_048_576)
  return {
    hostname: hostname(),
    upSeconds: Math.round(uptime()),
    load: loadavg(),
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memoryMb: Math.round(totalmem() / 1_048_576),
    meminfo: await textOf('/proc/meminfo'),
    stateDisk: { totalMb: mb(disk.blocks), freeMb: mb(disk.bavail), files: disk.files, filesFree: disk.ffree },
    mounts: await textOf('/proc/mounts'),
  }
}

export async function network(): Promise<object> {
  const [routes, neighbours, resolver] = await Promise.all(
    ['/proc/net/route', '/proc/net/arp', '/etc/resolv.conf'].map(textOf),
  )
  const links = await said('ip', ['-details', 'link'])
  return { interfaces: networkInterfaces(), links: links ?? null, routes, neighbours, resolver }
}

export async function engine(ask: () => Promise<Engine>, images: readonly string[]): Promise<object> {
  const docker = await ask()
  const [version, containers, networks, loaded] = await Promise.all([
    docker.ping(),
    docker.containers(),
    docker.networks(),
    Promise.all(images.map(async (image) => [image, await docker.hasImage(image)] as const)),
  ])
  return { version, containers, networks, images: Object.fromEntries(loaded) }
}

/** What the box shall do, without what its decoys pretend: that would tell them apart. */
export function documents(held: { plan?: Plan; blocks?: { revision: number; entries: readonly unknown[] } }): object {
  const { plan, blocks } = held
  return {
    plan: plan && {
      revision: plan.revision,
      issuedAt: plan.issuedAt,
      expiresAt: plan.expiresAt,
      scan: { ...plan.scan, decoyMacs: plan.scan.decoyMacs.length },
      observe: plan.observe,
      decoys: plan.decoys.map(({ id, cidr, ip, mac, persona, personaVersion, services, condemned, drift }) => ({
        ...{ id, cidr, ip, mac, persona, personaVersion, services, condemned },
        drifts: drift !== undefined,
      })),
    },
    blocks: blocks && { revision: blocks.revision, entries: blocks.entries.length },
  }
}

const textOf = async (path: string): Promise<string | null> => {
  try {
    return (await readFile(path, 'utf8')).slice(0, fileBytes)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : wordsOf(error)
  }
}
