import { type Probe, packet } from './ssh-probe.ts'
import { ending, open, pty, request, session } from './ssh-probe-session.ts'
import { message } from './ssh-wire.ts'

/** What runs in a session, and how it ends. */
export const programProbes: readonly Probe[] = [
  ending(session('exec', open(), request(0, 'exec', 'echo hello')), message.close),
  ending(session('exec that fails', open(), request(0, 'exec', 'exit 3')), message.close),
  ending(session('exec with errors', open(), request(0, 'exec', 'cat /no/such')), message.close),
  ending(
    session('exec without a reply', open(), packet(message.channelRequest, 0, 'exec', false, 'echo hi')),
    message.close,
  ),
  ending(session('exec twice', open(), request(0, 'exec', 'sleep 1'), request(0, 'exec', 'echo two')), message.close),
  ending(
    session('exec in two channels', open(0), open(1), request(0, 'exec', 'echo a'), request(1, 'exec', 'echo b')),
    message.close,
    message.close,
  ),
  ending(
    session(
      'exec that reads',
      open(),
      request(0, 'exec', 'cat'),
      packet(message.data, 0, 'data'),
      packet(message.eof, 0),
    ),
    message.close,
  ),
  ending(
    session('a shell without a terminal', open(), request(0, 'shell'), packet(message.data, 0, 'echo hi\nexit 4\n')),
    message.close,
  ),
  ending(
    session('an idle session beside one that ends', open(0), open(1), request(1, 'exec', 'true')),
    message.channelRequest,
    message.close,
  ),
  ending(
    session(
      'data behind the end',
      open(),
      request(0, 'exec', 'cat'),
      packet(message.eof, 0),
      packet(message.data, 0, 'x'),
    ),
    message.close,
  ),
  ending(
    session(
      'much data',
      open(),
      request(0, 'exec', 'wc -c'),
      packet(message.data, 0, 'x'.repeat(20_000)),
      packet(message.eof, 0),
    ),
    message.close,
  ),
  ending(
    session(
      'data past a small window',
      open(),
      request(0, 'exec', 'wc -c'),
      packet(message.data, 0, 'x'.repeat(30_000)),
      packet(message.eof, 0),
    ),
    message.close,
  ),
  ending(
    session(
      'extended data',
      open(),
      request(0, 'exec', 'wc -c'),
      packet(message.extendedData, 0, 1, 'x'),
      packet(message.eof, 0),
    ),
    message.close,
  ),
  ending(
    session(
      'requests behind a program',
      open(),
      request(0, 'exec', 'sleep 0.3'),
      request(0, 'env', 'LANG', 'C'),
      pty,
      request(0, 'shell'),
      request(0, 'subsystem', 'sftp'),
    ),
    message.close,
  ),
  ending(
    session('exec with a terminal', open(), pty, request(0, 'exec', 'echo a; cat /no/such; test -t 0 -a -t 1 -a -t 2')),
    message.close,
  ),
  ending(
    session(
      'exec that reads a terminal',
      open(),
      pty,
      request(0, 'exec', 'read x; echo $x'),
      packet(message.data, 0, 'y\r'),
    ),
    message.close,
  ),
  ending(
    session('a signal while it runs', open(), request(0, 'exec', 'sleep 5'), request(0, 'signal', 'TERM')),
    message.close,
  ),
  ending(session('a program that a signal ends', open(), request(0, 'exec', 'kill -9 $$')), message.close),
  ending(session('a program that is not there', open(), request(0, 'exec', 'no-such-program')), message.close),
]

/** Dropbear tells the end of the output in this case where it reads that before it hears of the program's end. */
export const opensshProbes: readonly Probe[] = [
  ending(
    session('close while it runs', open(), request(0, 'exec', 'sleep 0.3; echo x'), packet(message.close, 0)),
    message.close,
  ),
]
