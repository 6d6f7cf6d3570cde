/** A card of this machine with its address, as the scan room finds it. */
export type Nic = { nic: string; cidr: string; address: string; gateway?: string }

export type Images = {
  /** Owns the address: see images/pod. */
  pod: string
  /** SSH and telnet: see images/cowrie. */
  cowrie: string
  /** Everything else a persona serves: see images/services. */
  services: string
  /** Sites of a real nginx or Apache: see images/web. */
  web: string
  /** Folder with saved images (`*.tar`), loaded when one is missing. */
  archives?: string
}
