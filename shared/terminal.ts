/**
 * Text from outside made fit for a terminal: control characters (C0, DEL, C1), bidirectional overrides and zero-width
 * characters are shown as escapes, so that what an attacker typed can neither move the cursor nor hide.
 */
export function forTerminal(text: string, maxLength = 4096): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the point
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, escapeOne)
}

/**
 * JSON with the same characters as JSON's own escapes: it reads back as the same value, and does no harm in a terminal.
 * JSON.stringify leaves DEL, C1 and the rest as they are.
 */
export const jsonForTerminal = (value: unknown, indent?: number): string =>
  (JSON.stringify(value, null, indent) ?? 'null').replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

function escapeOne(character: string): string {
  const code = character.charCodeAt(0)
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/**
 * What to do when whoever read the output goes away (`| head`): a command has no one left to work for and ends; a service
 * stays up and prints to nobody.
 */
export function onReaderGone(output: NodeJS.WriteStream, service: boolean): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (!service) process.exit()
  })
}
