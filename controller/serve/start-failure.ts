import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { databaseIn } from './database.ts'

/** SQLite's primary codes. */
const readOnly = 8
const full = 13

/** What kept a controller from starting, in the words of the registry where a person can mend it. */
export function startFailure(error: unknown, dataDir: string): unknown {
  const { code, errcode, address, port, path } = error as Record<string, string | number | undefined>
  const cause = { cause: error }
  switch (Number(errcode ?? 0) & 0xff) {
    case full:
      return new MarshlightError('DISK_FULL', { path: databaseIn(dataDir) }, cause)
    case readOnly:
      return new MarshlightError(
        'DISK_READ_ONLY',
        { path: databaseIn(dataDir), why: wordsOf(error), option: '--data' },
        cause,
      )
  }
  switch (code) {
    case 'ENOSPC':
      return new MarshlightError('DISK_FULL', { path: path ?? dataDir }, cause)
    case 'EADDRINUSE':
      return new MarshlightError('CANNOT_LISTEN', { address: `${address}:${port}`, why: 'it is in use' }, cause)
    case 'EADDRNOTAVAIL':
      return new MarshlightError(
        'CANNOT_LISTEN',
        { address: `${address}:${port}`, why: 'this machine has no such address' },
        cause,
      )
    case 'EACCES':
      if (port === undefined) return error
      return new MarshlightError('CANNOT_LISTEN', { address: `${address}:${port}`, why: 'permission denied' }, cause)
  }
  return error
}
