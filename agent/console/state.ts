/** What is known of this box, by whoever knows it; the state that a technician is shown follows from it alone. */
export type Known = {
  version: string
  /** Of the card that is looked at: the first with a cable, else the first. Undefined: the box has none. */
  card?: { name: string; signal: boolean; address?: string | undefined } | undefined
  /** A few characters by which people tell boxes apart. */
  serial?: string | undefined
  name?: string | undefined
  site?: string | undefined
  segment?: string | undefined
  /** HOST:PORT */
  controller?: string | undefined
  /** Whether it belongs to a controller. Undefined: not known yet. */
  enrolled?: boolean | undefined
  waitsForFile?: boolean | undefined
  /** A code may be typed at the page. */
  takesCode?: boolean | undefined
  waitsForApproval?: boolean | undefined
  /** It was taken back. `done`: nothing of what it held is left. */
  wiped?: { at: string; reason: string; done: boolean } | undefined
  /** The version that is being brought in. */
  updating?: string | undefined
  link?: { connected: boolean; since?: string | undefined; lastError?: string | undefined } | undefined
  /** Parts of the agent that wait for something, with what they say of it. */
  waiting?: readonly { name: string; reason: string }[] | undefined
  /** What the doctor would have mended, in the order in which one mends. */
  findings?: readonly Finding[] | undefined
  /** What keeps the first boot from going on. `code`: of shared/errors.ts. */
  trouble?: { message: string; next: string; code?: string | undefined } | undefined
  /** What came of a release on a stick, in words of the image's program. */
  stick?: string | undefined
  /** Where the status page is, while it is there. */
  page?: string | undefined
}
export type Finding = { name: string; detail: string; next?: string | undefined }

export const states = [
  'starting',
  'no-cable',
  'no-address',
  'no-file',
  'no-controller',
  'waiting-for-approval',
  'working',
  'needs-care',
  'wiped',
  'updating',
] as const
export type State = (typeof states)[number]

/** The state, in a few words, with what is wrong and the one thing to do. Words of others are in it as they came. */
export type View = { state: State; title: string; why?: string; next: string }

/** Neither the network nor the controller can help with these; with those below, only another file. */
const ofThisBox = /^(DISK_|RIGHTS_|KEY_|TPM_)/
const aboutKey = /^(KEY_|TPM_)/
const notTaken = /^(TOKEN_|CODE_)/

const anew = 'Restart the box; if it stays so, write the image to a new card.'
const notAllGone = 'Not all that was on it is removed yet: leave it on; if that lasts, switch it off and on.'
const rested = 'Nothing is to be done.'
/** How the image's program for sticks ends its line while it reads and verifies a release: before the agent has it. */
const stickAtWork = /is being taken\. Leave the stick in\.$/

/**
 * The first that fits, from what only a person at the controller can mend to what is well:
 *
 *   wiped, as long as nothing is wrong with what it is given since > updating > no cable > no address > this box itself > no file > waiting for approval > no controller > needs care > working
 *
 * A box that works is not called unwell for a note of the doctor's, nor for a card that only the doctor missed.
 */
export function viewOf(known: Known): View {
  const { wiped, updating, card, link, enrolled, waiting = [], findings = [], trouble } = known
  const [finding] = findings
  if (wiped && !trouble)
    return {
      state: 'wiped',
      title: 'This box was taken back',
      why: wiped.reason,
      next: `${wiped.done ? 'It holds nothing any more.' : notAllGone} To use it again: a new enrolment file from the administrator.`,
    }
  if (updating !== undefined || stickAtWork.test(known.stick ?? ''))
    return {
      state: 'updating',
      title: updating === undefined ? 'Taking the release on the stick' : `Taking version ${updating}`,
      next: 'Do not switch it off. It takes some minutes.',
    }
  if (link?.connected) {
    const [first] = waiting
    if (first)
      return {
        state: 'needs-care',
        title: 'Connected, but not all of it works',
        why: `${first.name}: ${first.reason}`,
        next: finding?.next ?? 'The administrator sees it too. If it lasts, run `marshlight-agent doctor` on the box.',
      }
    return { state: 'working', title: 'It works', next: `${rested} You can leave.` }
  }
  if (enrolled === undefined && !known.waitsForFile && !trouble && !link)
    return { state: 'starting', title: 'Starting', next: 'Wait a minute.' }
  if (!card?.signal)
    return {
      state: 'no-cable',
      title: card ? `No cable, or nothing at its other end (${card.name})` : 'This box has no network card',
      next: card ? 'Push the cable in at both ends until it clicks.' : 'Plug in a USB network adapter.',
    }
  if (card.address === undefined)
    return {
      state: 'no-address',
      title: `The cable is in, but nobody gives this box an address (${card.name})`,
      next: 'Ask whoever runs this network to turn on DHCP for this socket.',
    }
  if (trouble && ofThisBox.test(trouble.code ?? ''))
    return {
      // With a new file it goes on: then the light says that.
      state: known.waitsForFile ? 'no-file' : 'needs-care',
      title: aboutKey.test(trouble.code ?? '') ? 'This box cannot open its key' : 'This box cannot keep what it needs',
      why: trouble.message,
      // Before a box belongs to somebody nobody logs in to it, and frees space.
      next: trouble.code?.startsWith('DISK_') ? anew : trouble.next,
    }
  if (trouble && !known.waitsForFile && notTaken.test(trouble.code ?? ''))
    return {
      state: 'no-file',
      title: 'The controller was found, and does not take this file or code',
      why: trouble.message,
      next: trouble.next,
    }
  if (known.waitsForFile)
    return {
      state: 'no-file',
      title: trouble ? 'What this box was given cannot be used' : 'This box waits for its enrolment file',
      ...(trouble && { why: trouble.message }),
      next:
        trouble?.next ??
        `Put marshlight-enrol.json on the card, or plug in a USB stick with it${known.takesCode && known.page ? '; or type a code at its page' : ''}.`,
    }
  if (known.waitsForApproval)
    return {
      state: 'waiting-for-approval',
      title: 'Found its controller, and waits until the administrator lets it in',
      next: `${rested} You can leave; tell the administrator that it is in place.`,
    }
  if (trouble || link?.lastError !== undefined) {
    const why = trouble?.message ?? link?.lastError
    return {
      state: 'no-controller',
      title: 'The network is there, but the controller is not reached',
      ...(why !== undefined && { why }),
      next: finding?.next ?? trouble?.next ?? 'Ask whoever runs the firewall to let this box reach its controller.',
    }
  }
  return { state: 'starting', title: 'Starting', next: 'Wait a minute.' }
}
