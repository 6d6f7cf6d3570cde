import t from 'tap'
import { parseOsRelease, sourcesFor } from '../../../provisioning/build/debian.ts'

t.test('a site’s own mirror serves our release, whatever release the host runs', async (t) => {
  const targets = [
    'https://mirror.example/debian/ trixie main /usr/share/keyrings/debian-archive-keyring.gpg',
    'https://mirror.example/debian/ trixie-updates main $(SIGNED_BY)',
    'https://mirror.example/debian/ trixie-backports main $(SIGNED_BY)',
    'https://mirror.example/security/ trixie-security main $(SIGNED_BY)',
    'https://mirror.example/security/ trixie-security contrib $(SIGNED_BY)',
    'https://mirror.example/security/ trixie-security main $(SIGNED_BY)',
    '',
  ]
  t.strictSame(sourcesFor(targets.join('\n'), 'trixie'), [
    'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://mirror.example/debian/ bookworm main',
    'deb https://mirror.example/debian/ bookworm-updates main',
    'deb https://mirror.example/security/ bookworm-security main',
  ])
})

t.test('os-release is read with and without quotes', async (t) => {
  t.strictSame(parseOsRelease('ID=debian\nVERSION_CODENAME="bookworm"\n# no\n'), {
    ID: 'debian',
    VERSION_CODENAME: 'bookworm',
  })
})
