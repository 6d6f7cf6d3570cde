import { readFile } from 'node:fs/promises'
import type { HostConfig } from 'dockerode'

/** Linux capabilities in the order of their numbers (linux/capability.h), up to the last that Engine 20.10 knows. */
const names = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ'
).split(' ')

/** Never given: an appliance of the lab has no business with this machine's modules, clock, or power. */
const kept = new Set(['SYS_MODULE', 'SYS_BOOT', 'SYS_TIME', 'SYS_RAWIO'])

/**
 * What a container needs to run an engine of its own. `--privileged` asks for every capability, and fails on a machine whose
 * own set lacks one (seen: SYS_RESOURCE); so it gets those that there are, without the engine's masks and filters.
 */
export function engineRights(boundingSet: bigint): HostConfig {
  const held = names.filter((name, bit) => (boundingSet >> BigInt(bit)) & 1n && !kept.has(name))
  return {
    CapAdd: held,
    SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
    MaskedPaths: [],
    ReadonlyPaths: [],
    DeviceCgroupRules: ['a *:* rwm'],
  }
}

/** Capabilities that processes of this machine can have at all. */
export async function boundingSet(): Promise<bigint> {
  const status = await readFile('/proc/self/status', 'utf8')
  return BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
}
