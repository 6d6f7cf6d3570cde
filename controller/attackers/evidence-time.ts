const longestPastMs = 30 * 86_400_000

/**
 * When an event counts as having happened: by the decoy's clock, unless that is plainly wrong. A clock ahead of ours
 * would keep evidence from decaying; one that starts in 1970 would let it decay before it counted.
 */
export function evidenceTime(at: string, receivedAt: string): number {
  const [said, received] = [Date.parse(at), Date.parse(receivedAt)]
  return said > received || received - said > longestPastMs ? received : said
}
