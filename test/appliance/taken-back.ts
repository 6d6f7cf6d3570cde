import { command } from '../../provisioning/build/command.ts'
import type { Box } from './box.ts'
import { agentsOf, patienceSeconds } from './first-boot.ts'
import type { Machine } from './machine.ts'
import type { Place } from './place.ts'
import { until } from './wait.ts'

const secrets = ['identity', 'spool', 'documents']
/** All that a wiped box has on its data partition: engine and system keep nothing of the site's. */
const unwritten = ['agent', 'containerd', 'docker', 'lost+found', 'ssh', 'systemd']

/**
 * An administrator takes the box back. It is offline at once, and hears that it is to wipe itself; afterwards, with its
 * mains pulled, no folder of secrets and no key of SSH is on the card. It has started anew meanwhile, and waits. Looked at from outside: nothing is mounted.
 */
export async function takeBack(
  place: Place,
  { box, machine, name, tell }: { box: Box; machine: Machine; name: string; tell: (line: string) => void },
): Promise<void> {
  const [before, keys] = [await namesIn(box, '/agent'), await namesIn(box, '/ssh')]
  if (!secrets.every((secret) => before.includes(secret)) || !keys.includes('host_ed25519'))
    throw new Error(`nothing to wipe is on the card: ${[...before, ...keys].join(' ')}`)
  const began = performance.now()
  const since = () => `${((performance.now() - began) / 1000).toFixed(1)} s`.padStart(9)
  await place.marshlight('agents', 'revoke', name, '--reason', 'was stolen')
  const isGone = async () => (await agentsOf(place)).every((one) => one.name !== name || one.presence !== 'online')
  await until(machine, 'it is cut off', isGone, 60)
  tell(`${since()}  revoked: it is no longer online`)
  const wiped = async () => {
    const left = await namesIn(box, '/agent')
    const gone = !secrets.some((secret) => left.includes(secret)) && left.includes('wiped.json')
    return gone && (await namesIn(box, '/ssh')).length === 0
  }
  await until(machine, 'its secrets are off the card', wiped, patienceSeconds)
  tell(`${since()}  no ${secrets.join(', ')}, and no key of SSH on its card any more`)
  await machine.says(/"state":"wiped".*a new enrolment file/, patienceSeconds)
  tell(`${since()}  it started anew, and waits for a new enrolment file`)
  await machine.cut()
  await replayed(box)
  const left = await namesIn(box, '/agent')
  const all = [...(await namesIn(box, '/')), ...(await namesIn(box, '/ssh')).map((name) => `ssh/${name}`)]
  tell(`           with its mains pulled there are: ${all.join(' ')}; in agent: ${left.join(' ')}`)
  if (left.some((one) => secrets.includes(one)) || all.some((one) => !unwritten.includes(one)))
    throw new Error('power brought its secrets back, or there is what nobody wiped')
}

/** What a start does first with a file system whose mains were pulled. */
async function replayed(box: Box): Promise<void> {
  // Having replayed, it opens the device anew by its name, at no offset, and ends with 8: the journal is in its place then.
  await command('sh', [
    '-c',
    'e2fsck -y -E journal_only "$1"; case $? in 0 | 1 | 8 | 12) ;; *) exit 1 ;; esac',
    'sh',
    await dataOf(box),
  ])
}

/** Names in a folder of the data partition, by the file system's own debugger, which replays nothing. */
async function namesIn(box: Box, folder: string): Promise<string[]> {
  const listed = await command('debugfs', ['-R', `ls -p ${folder}`, await dataOf(box)])
  return listed
    .split('\n')
    .map((line) => line.split('/')[5] ?? '')
    .filter((name) => name !== '' && !name.startsWith('.'))
}

/** The data partition, as programs of ext4 take it without a loop device. */
async function dataOf({ disk }: Box): Promise<string> {
  const table = await command('sfdisk', ['--json', disk])
  const { partitiontable } = JSON.parse(table) as { partitiontable: { partitions: { name: string; start: number }[] } }
  const start = partitiontable.partitions.find(({ name }) => name === 'marshlight-data')?.start ?? 0
  return `${disk}?offset=${start * 512}`
}
