/** An appliance as the API tells it. */
export type Agent = {
  id: string
  name: string
  roles: string[]
  status: string
  presence: string
  presenceAt: string | null
  lastSeen: string | null
  version: string | null
  hostname: string | null
  enrolledAt: string
  certificateExpires: string | null
  /** Of a list, and of one that is shown. */
  tags?: string[]
  segments: { name: string; site: string; cidr: string | null; address: string | null }[]
}

export const agentPath = (agent: string, rest = '') => `/v1/agents/${encodeURIComponent(agent)}${rest}`
export const dry = (options: { dryRun?: boolean }) => (options.dryRun ? '?dryRun=1' : '')
