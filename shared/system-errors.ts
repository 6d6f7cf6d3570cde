import { MarshlightError, wordsOf } from './errors.ts'

/** What the operating system refused (errno(3)), as an error with a next step; anything else as it is. */
export function plainly(error: unknown): unknown {
  if (error instanceof MarshlightError || !(error instanceof Error)) return error
  const { code, syscall, path, address } = error as NodeJS.ErrnoException & { address?: string }
  const place = path ?? address
  if (place === undefined) return error
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return new MarshlightError(
        'RIGHTS_MISSING',
        { what: `${syscall} ${place}`, right: 'rights that this user has not', next: 'Run it as root.' },
        { cause: error },
      )
    case 'EROFS':
      return new MarshlightError(
        'DISK_READ_ONLY',
        { path: place, why: wordsOf(error), option: 'an option (`--help`)' },
        { cause: error },
      )
    case 'ENOSPC':
      return new MarshlightError('DISK_FULL', { path: place }, { cause: error })
  }
  return error
}

/** Why `file`, which `command` makes, could not be read: not there, or there and out of reach. */
export const unreadable = (error: unknown, file: string, command: string): unknown =>
  (error as NodeJS.ErrnoException).code === 'ENOENT'
    ? new MarshlightError('CONFIG_MISSING', { file, command })
    : plainly(error)
