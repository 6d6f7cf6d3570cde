import type { KeptSite } from '../kept-site.ts'

/**
 * What a site's settings are to this system, by path below the root. They lie in /run: the system's own folder cannot be
 * written on an appliance, and each start makes them anew from what is kept. Ours sort before the image's DHCP for all
 * cards. Keys lie where the image's own SSH looks for them; without that service they are left out.
 */
export const networkFolder = '/run/systemd/network'
export const ownPrefix = '10-marshlight-'
export const timePath = '/run/systemd/timesyncd.conf.d/10-marshlight.conf'
export const keysPath = '/data/ssh/authorized_keys'
export const sshUnit = 'marshlight-ssh.service'

type Link = { address: string; gateway?: string | undefined; dns: readonly string[] }

/** `card`: the wired card that is meant where the settings name none. */
export function systemFiles(site: KeptSite, card: string | undefined): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const { network, ntp, ssh } = site
  const name = network?.card ?? card
  if (network && name !== undefined) {
    const vlans = network.vlans.map(({ tag }) => `VLAN=vlan${tag}`)
    files.set(`${networkFolder}/${ownPrefix}card.network`, networkFile(`Name=${name}`, network, vlans))
    for (const vlan of network.vlans) {
      const device = `vlan${vlan.tag}`
      const netdev = ['[NetDev]', `Name=${device}`, 'Kind=vlan', '', '[VLAN]', `Id=${vlan.tag}`]
      files.set(`${networkFolder}/${ownPrefix}${device}.netdev`, lines(netdev))
      files.set(`${networkFolder}/${ownPrefix}${device}.network`, networkFile(`Name=${device}`, vlan, []))
    }
  }
  if (ntp && ntp.length > 0) files.set(timePath, lines(['[Time]', `NTP=${ntp.join(' ')}`]))
  if (ssh) files.set(keysPath, lines(ssh.authorizedKeys))
  return files
}

function networkFile(match: string, { address, gateway, dns }: Link, vlans: readonly string[]): string {
  const isFixed = address !== 'dhcp' && address !== 'none'
  return lines([
    '[Match]',
    match,
    '',
    '[Network]',
    `DHCP=${address === 'dhcp' ? 'yes' : 'no'}`,
    ...(isFixed ? [`Address=${address}`] : []),
    ...(gateway === undefined ? [] : [`Gateway=${gateway}`]),
    ...dns.map((ip) => `DNS=${ip}`),
    ...vlans,
    // Neither names nor itself are told to the segment: it shall not stand out.
    'LLMNR=no',
    'MulticastDNS=no',
    ...(address === 'none' ? ['LinkLocalAddressing=no', '', '[Link]', 'RequiredForOnline=no'] : []),
  ])
}

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`
