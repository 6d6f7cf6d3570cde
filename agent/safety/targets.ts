import { contains } from '../../shared/network.ts'

export type Target = {
  ip: string
  /** Default route of the segment, where one is known. */
  gateway?: string
  /** Where the plan lets the decoy go. */
  egress: readonly { cidr: string; port: number }[]
}

/** Of the benchmarking range (RFC 2544), which no router of a site forwards. */
const offSegment = '198.19.255.254'
/** Discard, and two that no plan has a use for. */
const ports = [9, 60_999, 61_001]

/** Addresses and ports to which nothing may leave: one off the segment, and the gateway where there is one. */
export function targetsFor({ ip, gateway, egress }: Target): [string, number][] {
  return [offSegment, ...(gateway !== undefined && gateway !== ip ? [gateway] : [])].flatMap((host) => {
    const port = ports.find((one) => !egress.some((rule) => rule.port === one && contains(rule.cidr, host)))
    return port === undefined ? [] : [[host, port] satisfies [string, number]]
  })
}
