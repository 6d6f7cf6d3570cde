/** A time as the command line shows it: UTC, `YYYY-MM-DD HH:MM:SSZ`. */
export const shownTime = (iso: string | undefined): string | undefined =>
  iso === undefined ? undefined : `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`
