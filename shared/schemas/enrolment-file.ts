import { z } from 'zod'
import { MarshlightError } from '../errors.ts'
import { contains, ipToNumber, parseNetwork } from '../network.ts'
import { ipv4 } from './common.ts'

/** What the file is called on the FAT partition of a card, and on a USB stick. */
export const enrolmentFileName = 'marshlight-enrol.json'
/** The label of the card's FAT partition that holds it. */
export const enrolmentLabel = 'MARSHLIGHT'
export const enrolmentFileBytes = 65_536

/** `marshlight agents invite` shows it; whoever holds it can enrol a box once. It never goes to a log. */
const claim = z
  .string()
  .max(2048)
  .regex(/^ml1\.[A-Za-z0-9_-]+$/, 'the token of an invitation, which begins with ml1.')
const name = (max: number) =>
  z.string().regex(new RegExp(`^[^\\s\\p{C}](?:[^\\p{C}]{0,${max - 2}}[^\\s\\p{C}])?$`, 'u'), 'a name')
const host = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'a host name or an IPv4 address')
const hostPort = z
  .string()
  .max(260)
  .regex(/^([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/, 'HOST:PORT')
const hostLabel = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, 'a host name label')
/** A line of authorized_keys without options: those could run programs. */
const sshKey = z
  .string()
  .max(8192)
  .regex(
    /^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,2}( [^\r\n]{0,256})?$/,
    'a public key as in authorized_keys, without options',
  )

const fixed = z.cidrv4('dhcp, or an address with its prefix as 198.18.3.10/24')
const addressed = {
  /** `dhcp`, or the box's own address with its prefix, as 198.18.3.10/24. */
  address: z.union([z.literal('dhcp'), fixed]).default('dhcp'),
  gateway: ipv4.optional(),
  /** Beside, or with a fixed address instead of, what DHCP says. */
  dns: z.array(ipv4).max(4).default([]),
}
const vlan = z.strictObject({ tag: z.int().min(1).max(4094), ...addressed })

/** How the box speaks on its card: untagged, and one more link for each VLAN tag. */
const network = z
  .strictObject({
    /** The card's name; the first wired one that has a carrier, where it is not given. */
    card: z
      .string()
      .regex(/^[\w.:@-]{1,15}$/, 'the name of a network card')
      .optional(),
    ...addressed,
    /** `none`: no address without a tag; all traffic is tagged. */
    address: z.union([z.enum(['dhcp', 'none']), fixed]).default('dhcp'),
    vlans: z.array(vlan).max(32).default([]),
  })
  .superRefine((net, context) => {
    const tell = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message })
    const links = [{ at: [] as PropertyKey[], link: net }, ...net.vlans.map((link, i) => ({ at: ['vlans', i], link }))]
    for (const { at, link } of links) {
      const { address, gateway } = link
      const isFixed = address !== 'dhcp' && address !== 'none'
      if (gateway !== undefined && !isFixed)
        tell([...at, 'gateway'], 'only with a fixed address: DHCP names it by itself')
      if (!isFixed) continue
      const [own = ''] = address.split('/')
      const { first, last, prefix } = parseNetwork(address)
      if (prefix < 31 && [first, last].includes(ipToNumber(own)))
        tell([...at, 'address'], 'the address of the network itself, or of all its hosts')
      if (gateway !== undefined && (gateway === own || !contains(address, gateway)))
        tell([...at, 'gateway'], 'another address of the same network')
    }
    if (links.filter(({ link }) => link.gateway !== undefined).length > 1)
      tell(['vlans'], 'only one link has the gateway')
    if (new Set(net.vlans.map(({ tag }) => tag)).size < net.vlans.length) tell(['vlans'], 'a tag stands there twice')
    if (net.address === 'none' && net.vlans.length === 0) tell(['address'], 'none is for a card with VLANs only')
  })

const url = z
  .string()
  .max(512)
  .regex(/^http:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/, 'http://HOST:PORT')

/** What all boxes of a site share: what `agents invite --network FILE` takes. */
const siteShape = {
  network: network.optional(),
  /** Asked for the time, before all others. */
  ntp: z.array(host).max(8).optional(),
  /** The HTTP proxy through which the controller is reached (CONNECT). */
  proxy: url.optional(),
  /** SSH is off where there is none. */
  ssh: z.strictObject({ authorizedKeys: z.array(sshKey).min(1).max(16) }).optional(),
  /** How long the status page on the box's link-local address is there after each start; 0: never. */
  statusPageMinutes: z.int().min(0).max(1440).optional(),
}
export const siteSettings = z.strictObject(siteShape)
export type SiteSettings = z.infer<typeof siteSettings>

/**
 * What a box needs to become an agent without anybody at it. One file for one box, since its claim serves once. Strict:
 * a misspelt setting is told rather than left out, as it may be what makes a box reachable.
 */
export const enrolmentFile = z.strictObject({
  /** Version of this form; what cannot be read by an older box raises it. */
  marshlight: z.literal(1),
  claim,
  /** Where to enrol; rules over what the claim names. */
  controller: hostPort,
  /** For people: the controller knows by the claim. */
  site: name(64),
  segment: name(64),
  hostname: hostLabel.optional(),
  ...siteShape,
})
export type EnrolmentFile = z.infer<typeof enrolmentFile>

/** The file in `text`, which came from `file`. Throws ENROLMENT_FILE_INVALID, which never quotes the claim. */
export const parseEnrolmentFile = (text: string, file: string): EnrolmentFile =>
  parse(enrolmentFile, text, file, 'claim')
/** The settings of a site. Throws ENROLMENT_FILE_INVALID. */
export const parseSiteSettings = (text: string, file: string): SiteSettings => parse(siteSettings, text, file)

function parse<T>(schema: z.ZodType<T>, text: string, file: string, secret?: string): T {
  const refuse = (path: string, why: string, value?: unknown) =>
    new MarshlightError('ENROLMENT_FILE_INVALID', { file, path, value: shown(value), why })
  if (text.length > enrolmentFileBytes)
    throw refuse('the file', `more than ${enrolmentFileBytes / 1024} KiB`, `${text.length} bytes`)
  let json: unknown
  try {
    // Windows' editors begin a file with a mark.
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    // JSON.parse quotes what it read, which may be the claim.
    throw refuse(
      'the file',
      text.trim() === '' ? 'it is empty' : 'it is cut off, or a comma or quotation mark is missing',
      'not JSON',
    )
  }
  const version = (json as { marshlight?: unknown } | null)?.marshlight
  if (secret !== undefined && typeof version === 'number' && version > 1)
    throw refuse('marshlight', 'the form of a later version; this box reads 1', version)
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])]
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], json)
  const hidden = path[0] === secret || path.length === 0
  throw refuse(
    path.join('.') || 'the file',
    unknown === undefined ? (issue?.message ?? '') : 'there is no such setting',
    hidden ? 'not shown' : value,
  )
}

const shown = (value: unknown): string =>
  value === undefined
    ? 'missing'
    : typeof value === 'string'
      ? value.slice(0, 100)
      : (JSON.stringify(value)?.slice(0, 100) ?? 'nothing')
