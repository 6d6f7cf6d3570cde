import { cp } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { bundles } from '../../provisioning/build/bundle.ts'
import { architectureOf, ownArchitecture } from '../../provisioning/deb/architectures.ts'
import { buildDeb } from '../../provisioning/deb/build.ts'
import { makeKeyFiles, signBeside } from '../../provisioning/image/signing-files.ts'

const projectRoot = join(import.meta.dirname, '../..')

/** Lays into `out` what is brought to a box: the agent's package, signed; and a controller, which the box plays as well. */
export async function deliver(out: string): Promise<{ deb: string; version: string }> {
  const deb = await buildDeb({
    architecture: architectureOf(ownArchitecture()),
    projectRoot,
    out,
    progress: (_what, work) => work(),
    compression: 'none',
  })
  await makeKeyFiles(join(out, 'key'))
  await signBeside(deb.file, join(out, 'key'))
  const { files } = await bundles['controller-bundle']()
  for (const [name, from] of Object.entries(files)) await cp(from, join(out, name))
  return { deb: `/out/${basename(deb.file)}`, version: deb.version }
}

/** For the box's shell, once the agent is installed, whose Node it uses: a controller, and /run/office.token by it. */
export const centreStarts = `cp /out/controller.mjs /root/
node='/usr/lib/marshlight-agent/node --disable-warning=ExperimentalWarning /root/controller.mjs'
export MARSHLIGHT_DATA=/var/lib/centre
$node init --host 127.0.0.1 > /dev/null
$node serve > /var/log/centre.log 2>&1 < /dev/null &
until $node agents > /dev/null 2>&1; do sleep 0.2; done
$node agents invite --site hq --segment office --out /run/office.token > /dev/null`
