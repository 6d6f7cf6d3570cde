const hidden = '***'

/** What follows a name that stands for a secret: a list, a string with its escapes, or a word. */
const value = String.raw`(?:\[[^\]\n]*\]?|\\?"(?:[^"\\\n]|\\(?!").)*(?:\\?")?|'[^'\n]*'?|[^\s,;&}\]"']+)`
const names = 'pass(?:word|wd|phrase|code)?|secret|token|credential|api[-_]?key|private[-_]?key|psk|community|cookie'

/** A secret by its look, or by the name before it; `$1` is what may stay. */
const looks: readonly [RegExp, string][] = [
  // A key may be cut off, or stand within JSON: all that can belong to it goes.
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:\\+[rn]|[\s\w+/=:,*-])*/g, hidden],
  // An invitation, and what a box gets by it.
  [/\bml1\.[\w-]{8,}/g, hidden],
  [/\b(Bearer|Basic|Digest)\s+[\w.~+/=-]{8,}/gi, `$1 ${hidden}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${hidden}@`],
  [new RegExp(String.raw`(\b[\w-]*(?:${names})s?\\?["']?\s*[:=]\s*)${value}`, 'gi'), `$1${hidden}`],
  [new RegExp(String.raw`("key\\?"\s*:\s*)${value}`, 'gi'), `$1${hidden}`],
  // A JSON web token; a hash of crypt(3).
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, hidden],
  [/\$(?:1|2[aby]|5|6|y)\$[^\s:"'\\]{8,}/g, hidden],
]

/** Shorter ones would hide half of the words. */
const shortest = 6

/**
 * Takes secrets out of text that leaves the box: those that are known, wherever and however quoted they stand, and
 * whatever looks like one.
 */
export function makeRedactor(known: Iterable<string> = []): (text: string) => string {
  const exact = new Set<string>()
  for (const secret of known)
    for (const piece of [secret, ...secret.split(/\r?\n/)]) {
      const text = piece.trim()
      if (text.length < shortest || /^-----(BEGIN|END) /.test(text)) continue
      for (const form of formsOf(text)) exact.add(form)
    }
  const longestFirst = [...exact].sort((a, b) => b.length - a.length)
  return (text) => {
    let clean = text
    for (const secret of longestFirst) clean = clean.replaceAll(secret, hidden)
    for (const [look, instead] of looks) clean = clean.replaceAll(look, instead)
    return clean
  }
}

/** As it is, in JSON, in JSON within JSON, in a URL, and in base64. */
const formsOf = (text: string): string[] => {
  const quoted = JSON.stringify(text).slice(1, -1)
  const base64 = Buffer.from(text).toString('base64')
  return [
    text,
    quoted,
    JSON.stringify(quoted).slice(1, -1),
    encodeURIComponent(text),
    base64,
    base64.replaceAll('=', ''),
    Buffer.from(text).toString('base64url'),
  ]
}
