import { compared, type Found, found, holds, type Probe } from '../look.ts'
import { scanned, tcpPortsOf, versions } from './scan.ts'

/** Exactly the open ports of its persona, and at each the product and version that the persona names. */
export const services: Probe = {
  area: 'services',
  name: 'services',
  async look(look) {
    const { persona } = look
    const expected = tcpPortsOf(persona)
    const { host } = await scanned(look)
    const open = (host?.ports ?? []).filter(({ proto }) => proto === 'tcp').map(({ port }) => port)
    const results: Found[] = [
      compared(
        'services.ports',
        open.sort((a, b) => a - b),
        expected,
        'other ports are open than its persona has',
      ),
    ]
    const told = await versions(look)
    if (persona.ssh) results.push(version(22, sshProduct(persona.ssh.banner)))
    for (const { port, product, version: number } of persona.services ?? [])
      if (expected.includes(port)) results.push(version(port, { product, version: number }))
    return results

    function version(port: number, wanted: { product: string; version: string }): Found {
      const at = told?.host?.ports.find((one) => one.port === port)
      const seen = [at?.product, at?.version].filter(Boolean).join(' ')
      const words = `nmap names port ${port} otherwise than the host it imitates`
      const has = (part: string) => seen.toLowerCase().includes(part.toLowerCase().split(' ')[0] ?? '')
      if (at && seen === '')
        return found('services.version', 'unknown', at.service ?? '', wanted, 'nmap names no product')
      return holds('services.version', has(wanted.product) && has(wanted.version), seen || 'closed', wanted, words)
    }
  },
}

/** Product and version in a banner, as nmap tells them apart. Pure. */
export function sshProduct(banner: string): { product: string; version: string } {
  const [product = '', version = ''] =
    banner
      .replace(/^SSH-[\d.]+-/, '')
      .split(/[ ]/)[0]
      ?.split('_') ?? []
  return { product: product.toLowerCase() === 'dropbear' ? 'Dropbear' : product, version }
}
