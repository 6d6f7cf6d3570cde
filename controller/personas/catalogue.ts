import almalinux8 from './catalogue/almalinux-8.json' with { type: 'json' }
import almalinux9 from './catalogue/almalinux-9.json' with { type: 'json' }
import camera from './catalogue/camera-dvr.json' with { type: 'json' }
import debian11 from './catalogue/debian-11.json' with { type: 'json' }
import debian12 from './catalogue/debian-12.json' with { type: 'json' }
import openwrt from './catalogue/openwrt.json' with { type: 'json' }
import raspberry from './catalogue/raspberry-pi-os-12.json' with { type: 'json' }
import rocky8 from './catalogue/rocky-8.json' with { type: 'json' }
import rocky9 from './catalogue/rocky-9.json' with { type: 'json' }
import ubuntu20 from './catalogue/ubuntu-20.04.json' with { type: 'json' }
import ubuntu22 from './catalogue/ubuntu-22.04.json' with { type: 'json' }
import ubuntu24 from './catalogue/ubuntu-24.04.json' with { type: 'json' }
import accountsData from './data/accounts.json' with { type: 'json' }
import algorithmsData from './data/algorithms.json' with { type: 'json' }
import hardwareData from './data/hardware.json' with { type: 'json' }
import nearestData from './data/nearest.json' with { type: 'json' }
import {
  type Accounts,
  type Algorithms,
  accounts,
  algorithms,
  type Hardware,
  hardware,
  type Nearest,
  nearest,
  type Template,
  template,
} from './template.ts'

/** What decoys can pretend to be, with true values. */
export type Catalogue = {
  templates: readonly Template[]
  algorithms: Readonly<Record<string, Algorithms>>
  hardware: readonly Hardware[]
  accounts: Accounts
  nearest: Nearest
}

/** Reads and checks the data files. A file that does not fit its schema is a fault of the program and throws. */
export function readCatalogue(): Catalogue {
  const files = [
    debian12,
    debian11,
    ubuntu24,
    ubuntu22,
    ubuntu20,
    rocky9,
    rocky8,
    almalinux9,
    almalinux8,
    raspberry,
    openwrt,
    camera,
  ]
  return {
    templates: files.map((file) => template.parse(file)),
    algorithms: algorithms.parse(algorithmsData),
    hardware: hardware.parse(hardwareData),
    accounts: accounts.parse(accountsData),
    nearest: nearest.parse(nearestData),
  }
}

export const templateOf = (catalogue: Catalogue, id: string): Template | undefined =>
  catalogue.templates.find((one) => one.id === id)

/** The algorithms that go with a banner of this template, or undefined where it could not show that banner. */
export function algorithmsOf(catalogue: Catalogue, { ssh }: Template, banner: string): Algorithms | undefined {
  const name =
    ssh?.packages.find((one) => one.banner === banner)?.algorithms ??
    ssh?.variants.find(({ pattern }) => new RegExp(pattern).test(banner))?.algorithms
  return name === undefined ? undefined : catalogue.algorithms[name]
}
