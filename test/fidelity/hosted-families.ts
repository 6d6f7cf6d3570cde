/** Families that a Debian machine hosts for real: the programs that such a host runs, not imitations. */
export type HostedFamily = {
  name: string
  /** Services of the image `lab-host`. */
  services: string
  hostname: string
  /** Of a card of the maker that such hosts have. */
  oui: string
  /** TCP ports that it listens on when it is up. */
  ports: readonly number[]
}

const dell = 'd4:ae:52'

export const hostedFamilies: readonly HostedFamily[] = [
  { name: 'Debian 12 server', services: 'ssh', hostname: 'srv01', oui: dell, ports: [22] },
  { name: 'web server, nginx', services: 'ssh http', hostname: 'web01', oui: dell, ports: [22, 80] },
  { name: 'web server, Apache', services: 'ssh apache', hostname: 'www02', oui: dell, ports: [22, 80] },
  { name: 'database, PostgreSQL', services: 'ssh postgres', hostname: 'db01', oui: dell, ports: [22, 5432] },
  { name: 'database, MariaDB', services: 'ssh mariadb', hostname: 'sql01', oui: dell, ports: [22, 3306] },
  { name: 'database, Redis', services: 'ssh redis', hostname: 'cache01', oui: dell, ports: [22, 6379] },
  { name: 'file server', services: 'ssh smb ftp', hostname: 'files01', oui: dell, ports: [21, 22, 139, 445] },
  // Of Ubiquiti, whose Dropbear tells its version as Debian's does. No family has the web server of BusyBox.
  { name: 'small device', services: 'dropbear busybox-http', hostname: 'sw01', oui: 'fc:ec:da', ports: [22, 80] },
]
