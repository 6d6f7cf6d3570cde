/** The words of those checks that are bad. */
export const failing = (...checks: readonly (readonly [boolean, string])[]) =>
  checks.filter(([bad]) => bad).map(([, words]) => words)
