import { networkInterfaces } from 'node:os'

/** Of the container engine, which says nothing of where the box stands. */
const ofEngine = /^(docker|br-|veth)/

/** The box's own IPv4 addresses with their prefixes, as 198.18.3.10/24: the networks that it stands in. */
export const readNetworks = (found = networkInterfaces()): string[] =>
  Object.entries(found)
    .filter(([card]) => !ofEngine.test(card))
    .flatMap(([, addresses = []]) => addresses)
    .flatMap(({ family, internal, cidr }) => (family === 'IPv4' && !internal && cidr ? [cidr] : []))
    .slice(0, 64)
