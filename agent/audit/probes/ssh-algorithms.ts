import { compared, type Found, found, type Look, type Probe } from '../look.ts'
import { hello, isFlag, type Offer } from '../ssh-hello.ts'

const lists = ['kex', 'hostKeys', 'ciphers', 'macs', 'compression'] as const

/** The lists of KEXINIT, in their order: of a real neighbour with the same banner where there is one, else the persona's. */
export const sshAlgorithms: Probe = {
  area: 'ssh',
  name: 'ssh.algorithms',
  async look(look) {
    const { persona, decoy } = look
    if (!persona.ssh) return []
    const { line, offer } = await hello(decoy.ip)
    if (!offer)
      return [found('ssh.kex', 'differs', 'no key exchange', persona.ssh.kex, 'it does not begin a key exchange')]
    const twin = await twinOf(look, line)
    const expected: Offer = twin?.offer ?? persona.ssh
    const words = twin
      ? `${twin.ip} shows the same banner and offers another list`
      : 'not what that version of the server offers'
    // Flags follow the patch level, which a banner does not tell in full: only a twin says which belong there.
    const named = (names: readonly string[]) => (twin ? names : names.filter((name) => !isFlag(name)))
    return lists.map((list): Found => {
      const probe = `ssh.${list === 'hostKeys' ? 'host-keys' : list}`
      return compared(probe, named(offer[list]), named(expected[list]), words)
    })
  },
}

/** A real host that shows the very same identification line. */
export const twinOf = ({ having, once }: Look, line: string) =>
  once('ssh twin', async () => {
    for (const { ip } of having(22)) {
      const its = await hello(ip).catch(() => undefined)
      if (its?.line === line && its.offer) return { ip, offer: its.offer }
    }
    return undefined
  })
