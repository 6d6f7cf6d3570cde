import { parseCode } from '../../shared/enrolment-code.ts'
import { MarshlightError } from '../../shared/errors.ts'
import type { Address } from './ask.ts'
import { fetchCaOfCode, fetchPinnedCa } from './server-trust.ts'
import { parseAddress, parseToken } from './token.ts'
import { addressOfCode } from './typed-code.ts'

/** By what a box comes in: whom to ask, how to know him, and what to show him. */
export type WayIn = {
  at: Address
  /** The fleet's CA; nothing secret was sent before it is known. Throws CONTROLLER_UNREACHABLE, CA_MISMATCH or CODE_MISMATCH. */
  ca(): Promise<string>
  shown: { id: string; secret: string } | { code: string }
  /** The controller's refusal as an error of ours. */
  refused(code: string, message: string): Error | undefined
}

/** Throws TOKEN_INVALID, TOKEN_EXPIRED, USAGE. */
export function byToken(text: string, controller: string | undefined, now: number, proxy?: string): WayIn {
  const token = parseToken(text, now)
  const address = controller ?? token.controller
  if (!address)
    throw new MarshlightError('USAGE', { what: 'the token names no controller', command: 'marshlight-agent enrol' })
  const at = { ...parseAddress(address), proxy }
  const { id, secret, exp } = token
  return { at, ca: () => fetchPinnedCa(at, token.ca), shown: { id, secret }, refused: refusals(id, exp) }
}

/** Throws CODE_MISTYPED, USAGE. An address without a port means the usual one: people type it. */
export function byCode(typed: string, controller: string, proxy?: string): WayIn {
  const code = parseCode(typed)
  const at = { ...addressOfCode(controller.trim()), proxy }
  return { at, ca: () => fetchCaOfCode(at, code), shown: { code: code.secret }, refused: refusals('of the code') }
}

function refusals(id: string, exp?: string): (code: string, message: string) => Error | undefined {
  return (code, message) => {
    switch (code) {
      case 'TOKEN_USED':
      case 'TOKEN_REJECTED':
      case 'WAITS_FOR_APPROVAL':
        return new MarshlightError(code, { id })
      case 'TOKEN_EXPIRED':
        return new MarshlightError(code, { id, expiresAt: exp ?? lastWord(message) })
      case 'TOKEN_MISPLACED':
        return new MarshlightError(code, { id, ...placesIn(message) })
      case 'TOKEN_INVALID':
        return new MarshlightError(code, { why: message })
      case 'CODE_GUESSED':
        return new MarshlightError(code, { from: 'from here', until: /until (\S+)/.exec(message)?.[1] })
    }
    return undefined
  }
}

/** The time or address that the controller's message ends with. */
const lastWord = (message: string): string => message.split(' ').at(-1) ?? 'unknown'

/** Where a claim is good, and where the controller saw the box, as its message says. */
const placesIn = (message: string) => ({
  meant: /it is for (\S+),/.exec(message)?.[1] ?? 'another network',
  source: lastWord(message),
})
