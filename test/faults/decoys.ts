/**
 * The decoys of an agent: brings the machine to the plan of `PLAN`, and says when it has. To be killed while it does.
 *
 *   node decoys.ts PLAN STATE NIC CIDR ADDRESS
 */
import { readFile } from 'node:fs/promises'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import { makeAppliance, settled } from '../lab/decoys-appliance.ts'

const [file = '', stateDir = '', nic = '', cidr = '', address = ''] = process.argv.slice(2)
const plan = JSON.parse(await readFile(file, 'utf8')) as Plan
const nothing = { teardown: () => {} }
const { decoys, reported } = await makeAppliance(nothing, { nic, cidr, address }, {}, undefined, plan.agent, stateDir)
await decoys.start(new AbortController().signal)
decoys.applyPlan(plan)
await reported(settled(plan.revision), 0, 120)
await decoys.stop()
process.exit(0)
