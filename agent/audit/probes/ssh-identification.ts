import { compared, found, type Probe, unknown } from '../look.ts'
import { hello } from '../ssh-hello.ts'

/** The identification line, byte for byte, with its CRLF (RFC 4253, 4.2). */
export const sshIdentification: Probe = {
  area: 'banner',
  name: 'ssh.identification',
  async look({ persona, decoy }) {
    if (!persona.ssh) return []
    const { line } = await hello(decoy.ip)
    if (line === '')
      return [found('ssh.identification', 'differs', '', persona.ssh.banner, 'it says nothing on port 22')]
    return [compared('ssh.identification', line, `${persona.ssh.banner}\r\n`, 'another line than the host it imitates')]
  },
}

/** Whether that line is one that machines here have at all. */
export const sshCompany: Probe = {
  area: 'banner',
  name: 'ssh.company',
  async look({ persona, having }) {
    const { ssh } = persona
    if (!ssh) return []
    const others = having(22)
    if (others.length === 0) return [unknown('ssh.company', 'no real host here has SSH')]
    const lines = await Promise.all(
      others.map(async ({ ip }) => (await hello(ip).catch(() => undefined))?.line.trim() ?? ''),
    )
    const make = (line: string) => line.replace(/^SSH-[\d.]+-/, '').split(/[_\s]/)[0] ?? ''
    const known = lines.some((line) => make(line) === make(ssh.banner))
    const words = 'no real host here runs that make of server'
    return [
      found(
        'ssh.company',
        known ? 'equal' : 'differs',
        ssh.banner,
        lines.join(', '),
        known ? 'as a neighbour’s' : words,
      ),
    ]
  },
}
