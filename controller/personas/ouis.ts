/** Who the first three bytes of a MAC belong to. OUIs are lower case with colons. */
export interface Ouis {
  vendorOf(oui: string): string | undefined
  /** All OUIs of a vendor, by the name that the registry gives it. */
  ouisOf(vendor: string): readonly string[]
}

/** The IEEE registry. Loaded when first needed: it takes some megabytes. */
export async function loadOuis(): Promise<Ouis> {
  const { default: registry } = await import('oui-data', { with: { type: 'json' } })
  return makeOuis(registry as Record<string, string>)
}

export function makeOuis(registry: Readonly<Record<string, string>>): Ouis {
  const byVendor = new Map<string, string[]>()
  for (const [hex, text] of Object.entries(registry)) {
    if (hex.length !== 6) continue
    const vendor = firstLine(text)
    const known = byVendor.get(plain(vendor))
    if (known) known.push(colons(hex))
    else byVendor.set(plain(vendor), [colons(hex)])
  }
  return {
    vendorOf: (oui) => {
      const text = registry[oui.replaceAll(':', '').toUpperCase()]
      return text === undefined ? undefined : firstLine(text)
    },
    ouisOf: (vendor) => byVendor.get(plain(vendor)) ?? [],
  }
}

export const ouiOf = (mac: string): string => mac.slice(0, 8)

/** Whether the IEEE gave it out: neither locally administered nor a group address. */
export const isGlobal = (oui: string): boolean => (Number.parseInt(oui.slice(0, 2), 16) & 0b11) === 0

const firstLine = (text: string) => text.split('\n')[0] ?? ''
const plain = (vendor: string) => vendor.toLowerCase().replace(/[^a-z0-9]/g, '')
const colons = (hex: string) => (hex.toLowerCase().match(/../g) ?? []).join(':')
