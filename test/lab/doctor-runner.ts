import type { CheckContext } from '../../agent/cli/checks/check.ts'
import { examine } from '../../agent/cli/checks/examine.ts'
import { checks } from '../../agent/cli/checks/registry.ts'
import { agentConfig } from '../../agent/config.ts'
import type { Identity } from '../../agent/enrol/index.ts'
import { systemClock } from '../../shared/clock.ts'

/** Some of the doctor's checks in the namespace that this runs in; told to the parent. `host`, `port`: of the controller. */
const {
  names,
  host,
  port = 8883,
} = JSON.parse(process.argv[2] ?? '{}') as {
  names: string[]
  host?: string
  port?: number
}
process.env.RES_OPTIONS = 'timeout:2 attempts:1'
const identity = host === undefined ? undefined : ({ mqtt: { host, port }, roles: ['decoys'] } as unknown as Identity)
const context: CheckContext = {
  stateDir: '/var/lib/marshlight-agent',
  config: agentConfig.parse({}),
  clock: systemClock,
  role: 'decoys',
  identity,
  root: '',
}
const found = await examine(
  checks.filter(({ name }) => names.includes(name)),
  context,
)
process.stdout.write(JSON.stringify(found))
