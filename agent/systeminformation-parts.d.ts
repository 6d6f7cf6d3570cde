/**
 * The parts of systeminformation that the agent uses, imported one by one: the rest would take another 1.6 MB of an
 * appliance's memory.
 */
declare module 'systeminformation/lib/network.js' {
  import type si from 'systeminformation'

  const network: Pick<typeof si, 'networkInterfaces' | 'networkGatewayDefault'>
  export default network
}

declare module 'systeminformation/lib/cpu.js' {
  import type si from 'systeminformation'

  const cpu: Pick<typeof si, 'cpuTemperature'>
  export default cpu
}
