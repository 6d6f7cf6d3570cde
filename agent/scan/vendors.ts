import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The maker's name for a MAC, where the registry has one. */
export type FindVendor = (mac: string) => Promise<string | undefined>

/**
 * The IEEE registry of package oui-data. nmap brings a table of its own, so this is asked seldom: it is read line by line
 * (6 MB, some 30 ms) and not kept, since the parsed table would take a third of the agent's memory.
 */
export function ouiVendors(): FindVendor {
  const known = new Map<string, string | undefined>()
  return async (mac) => {
    // The second bit of the first byte marks an address that was made up locally: no maker has it.
    if ((Number.parseInt(mac.slice(0, 2), 16) & 2) !== 0) return undefined
    const prefix = mac.replaceAll(':', '').slice(0, 6).toUpperCase()
    if (!known.has(prefix)) {
      if (known.size >= 1024) known.clear()
      known.set(prefix, await lookUp(prefix).catch(() => undefined))
    }
    return known.get(prefix)
  }
}

async function lookUp(prefix: string): Promise<string | undefined> {
  const file = createReadStream(fileURLToPath(import.meta.resolve('oui-data')))
  const lines = createInterface({ input: file })
  try {
    for await (const line of lines) {
      const [, key, value] = line.match(/^\s*"([0-9A-F]{6})": ("(?:[^"\\]|\\.)*")/) ?? []
      if (key === prefix) return (JSON.parse(value as string) as string).split('\n')[0]?.slice(0, 128)
    }
    return undefined
  } finally {
    lines.close()
    file.destroy()
  }
}
