type Value = string | number | null

/**
 * Rows as CSV (RFC 4180), a header first. Cells come from outside: what a spreadsheet would take for a formula (CWE-1236)
 * begins with an apostrophe, and control characters but for those that RFC 4180 allows in quotes are left out.
 */
export function csvText(rows: readonly Record<string, Value>[]): string {
  const columns = Object.keys(rows[0] ?? {})
  return [columns, ...rows.map((row) => columns.map((column) => row[column] ?? null))]
    .map((cells) => `${cells.map(csvCell).join(',')}\r\n`)
    .join('')
}

export function csvCell(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = [...value].filter((one) => one >= ' ' && one !== '\u007f').join('')
  // Also behind blanks, and in the wide forms that some programs read as the same.
  const safe = /^\s*[=+\-@＝＋－＠|%]/.test(text) ? `'${text}` : text
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
