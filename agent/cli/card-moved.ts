import type { CardSeen } from '../console/index.ts'

/**
 * Tells, look by look, whether the card is another than before, or has another cable or address: what the doctor found
 * before that is to be looked at anew, and nobody is told to push in a cable that is in.
 */
export function makeCardMoved(): (card: CardSeen | undefined) => boolean {
  let before: string | undefined
  return (card) => {
    const now = card ? `${card.name} ${card.signal} ${card.address ?? ''}` : ''
    const moved = before !== undefined && before !== now
    before = now
    return moved
  }
}
