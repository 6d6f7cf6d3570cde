import { runCentre } from './controller-world.ts'

/** A controller's part for agents as a process of its own, to be killed: `node controller-process.ts DATADIR PORT`. */
const [dataDir = '', port = '0'] = process.argv.slice(2)
const centre = await runCentre(dataDir, Number(port))
process.stdout.write(`${centre.broker.port()}\n`)
