const long = 'a'.repeat(9000)
const get = (path: string, ...headers: string[]) =>
  ['GET ', path, ' HTTP/1.1\r\nHost: filer01\r\n', ...headers.map((one) => `${one}\r\n`), '\r\n'].join('')
/** Each in one or several pieces. `@` stands for the date of the page. */
export const requests: readonly string[][] = [
  [get('/'), get('/nothing', 'Connection: close')],
  [get('/', 'Connection: close')],
  ['HEAD / HTTP/1.0\r\n\r\n'],
  ['HEAD /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'],
  ['GET /\r\n'],
  [get('/') + get('/docs/') + get('/docs') + get('/', 'Connection: close')],
  [get('/docs?x=1', 'Connection: close')],
  [get('/', 'Range: bytes=0-4', 'Connection: close')],
  [get('/', 'Range: bytes=0-0,-2')],
  [get('/', 'Range: bytes=900-', 'Connection: close')],
  [get('/', 'If-Modified-Since: @', 'Connection: close')],
  [get('/', 'If-None-Match: "x"', 'If-Modified-Since: @', 'Connection: close')],
  [get('/', 'If-Unmodified-Since: Thu, 01 Jan 1998 00:00:00 GMT', 'Connection: close')],
  [get('/', 'If-Match: "x"', 'Connection: close')],
  [get('/nothing', 'Accept-Encoding: gzip', 'Connection: close')],
  [get('/.htaccess', 'Connection: close')],
  [get('/server-status', 'Connection: close')],
  [get('/%00', 'Connection: close')],
  [get('/%2e%2e/%2e%2e/etc/passwd', 'Connection: close')],
  ['GET /../etc/passwd HTTP/1.0\r\n\r\n'],
  ['GET / HTTP/1.1\r\n\r\n'],
  ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
  ['GET / HTTP/2.0\r\nHost: a\r\n\r\n'],
  ['GET / HTTP/9.9\r\nHost: a\r\n\r\n'],
  ['GET / HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n'],
  ['GET / HTTP/1.1\nHost: a\nConnection: close\n\n'],
  ['get / HTTP/1.0\r\n\r\n'],
  ['BREW / HTTP/1.0\r\n\r\n'],
  ['OPTIONS / HTTP/1.0\r\n\r\n'],
  ['OPTIONS * HTTP/1.0\r\n\r\n'],
  ['OPTIONS / RTSP/1.0\r\n\r\n'],
  ['TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\n', 'abc'],
  ['DELETE / HTTP/1.0\r\n\r\n'],
  ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n', '0123456789', get('/', 'Connection: close')],
  ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n', 'x'],
  ['POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n', 'abc'],
  ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
  ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n'],
  ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n'],
  [`GET /${long} HTTP/1.0\r\n\r\n`],
  [`GET / HTTP/1.0\r\nX: ${long}\r\n\r\n`],
  [`GET / HTTP/1.0\r\n${'X: y\r\n'.repeat(150)}\r\n`],
  ['nonsense\r\n\r\n'],
  ['\x16\x03\x01\x00\x05hello'],
  ['\r\n\r\n\r\n', get('/', 'Connection: close')],
  ['GET ', '/ HTTP/1.0\r\n', '\r\n'],
]

/** Without the time, a random boundary, and the order of methods, which Apache draws at each start. */
const timeless = (text: string) =>
  withoutBoundaries(text)
    .replace(/^Date: .*$/gm, 'Date')
    .replace(/^Allow: .*$/gm, methods)
    .replace(/boundary=\S+|^--\S+$/gm, 'boundary')

/**
 * A request that nginx does not read to its end is ended by a FIN or, if its last packet came before the close, by a
 * RST: about 2 of 100 times, by chance, at the real server too.
 */
export const ended = (pieces: readonly string[], answer = '') =>
  pieces.join('').length > 8192 ? timeless(answer).replace(/ConnectionResetError$/, '<end>') : timeless(answer)

/** Apache draws the boundary of several ranges at its start, and does not pad it: the length of what it sends goes with that. */
const withoutBoundaries = (text: string) => {
  const drawn = /boundary=(\S+)/.exec(text)?.[1] ?? ''
  const taken = (text.split(`--${drawn}`).length - 1) * drawn.length
  return drawn ? text.replace(/^Content-Length: (\d+)/m, (_, size) => `Content-Length: ${Number(size) - taken}`) : text
}

const methods = (line: string) =>
  line
    .split(/[ ,:\r]+/)
    .sort()
    .join(' ')

/** nmap's own words on a host, less where it stands and how late it is; it names its scripts in any order. */
export function words(told: string, ip: string): string[] {
  const lines = told.split('\n').filter((line) => /^(\d+\/tcp|\|)/.test(line) && !/^\|[ _]+Date: /.test(line))
  const text = lines
    .join('\n')
    .replaceAll('|_', '| ')
    .replaceAll(ip, 'IP')
    .replace(/Supported Methods.*/g, methods)
    .replace(/Allow: .*/g, methods)
  return text.split(/\n(?=\d)/).map((port) =>
    port
      .split(/\n(?=\| [a-z][\w-]*:)/)
      .sort()
      .join('\n'),
  )
}
