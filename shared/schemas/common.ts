import { z } from 'zod'

/** An IPv4 address in dotted form. IPv6 segments are out of scope of the first contract. */
export const ipv4 = z.ipv4()
/** An IPv4 network in CIDR form, e.g. `198.18.1.0/24`. */
export const cidr4 = z.cidrv4()
/** A MAC address, lower case, colon separated. */
export const mac = z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'a MAC address as aa:bb:cc:dd:ee:ff')
/** A point in time, UTC, ISO 8601 with `Z`. */
export const utc = z.iso.datetime()
/** An id of ours: UUIDv7. */
export const id = z.uuidv7()
export const port = z.int().min(1).max(65535)
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
/** Text from outside, bounded. It is data: escaped on display, never interpreted. */
export const untrusted = (max: number) => z.string().max(max)
export const hostname = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, 'a host name label')
