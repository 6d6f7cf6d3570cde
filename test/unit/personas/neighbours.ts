import type { Neighbour } from '../../../controller/personas/index.ts'

/** A Debian 12 host as a detail pass finds it. */
export const debianHost = (n: number, more: Partial<Neighbour> = {}): Neighbour => ({
  ip: `198.18.1.${n}`,
  mac: `00:50:56:00:00:${String(n).padStart(2, '0')}`,
  vendor: 'VMware',
  names: [`web0${n}.corp.example`],
  os: [{ name: 'Linux 4.15 - 5.19', family: 'Linux', accuracy: 96 }],
  ports: [
    {
      port: 22,
      proto: 'tcp',
      service: 'ssh',
      product: 'OpenSSH',
      version: '9.2p1 Debian 2+deb12u3',
      extra: 'protocol 2.0',
    },
  ],
  ...more,
})

export const ubuntuHost = (n: number): Neighbour =>
  debianHost(n, {
    ports: [{ port: 22, proto: 'tcp', service: 'ssh', product: 'OpenSSH', version: '8.9p1 Ubuntu 3ubuntu0.10' }],
  })

export const windowsHost = (n: number): Neighbour => ({
  ip: `198.18.1.${n}`,
  vendor: 'Dell',
  names: [`PC-${n}`],
  os: [{ name: 'Microsoft Windows Server 2019', family: 'Windows', accuracy: 98 }],
  ports: [{ port: 445, proto: 'tcp', service: 'microsoft-ds' }],
})
