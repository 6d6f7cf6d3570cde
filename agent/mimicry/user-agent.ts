import type { Persona } from '../../shared/schemas/persona.ts'

/** Releases of apt that systems ship with (packages.debian.org, packages.ubuntu.com), newest first. */
const releases: [RegExp, string][] = [
  [/debian.*\b13\b/i, '3.0.3'],
  [/debian.*\b12\b/i, '2.6.1'],
  [/debian.*\b11\b/i, '2.2.4'],
  [/debian.*\b10\b/i, '1.8.2.3'],
  [/ubuntu.*\b24\.04/i, '2.7.14'],
  [/ubuntu.*\b22\.04/i, '2.4.14'],
  [/ubuntu.*\b20\.04/i, '2.0.11'],
]

/** How what fetches updates on this system calls itself to a web server. */
export function agentOf(os: Persona['os'] | undefined): string {
  const words = os?.prettyName ?? ''
  const release = releases.find(([system]) => system.test(words))?.[1] ?? '2.6.1'
  return `Debian APT-HTTP/1.3 (${release})${/ubuntu/i.test(words) ? ' non-interactive' : ''}`
}
