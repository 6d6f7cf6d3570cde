/**
 * Every error a person can meet: a code, what failed with the offending value, and the next step. `{name}` is filled in
 * from the details. Add to this list; never throw a bare string at a user.
 */
export const errorTexts = {
  CONFIG_INVALID: ['{file}: {path} is {value}: {why}', 'Mend it and start again; `--help` lists what is allowed.'],
  CONFIG_MISSING: ['{file} does not exist', 'Run `{command}` first.'],
  USAGE: ['{what}', 'See `{command} --help`.'],
  RIGHTS_MISSING: ['{what} needs {right}', '{next}'],
  DOCKER_UNREACHABLE: [
    'the Docker Engine does not answer at {socket}: {why}',
    'Start it (`systemctl start docker`) or name another with {option}.',
  ],
  IMAGE_MISSING: [
    'the image {image} is not here',
    'Bring the decoys’ images to this box, as the README says at “Run an agent”.',
  ],
  DISK_FULL: ['no space left at {path}', 'Free some space; records of low value are dropped and counted until then.'],
  DISK_READ_ONLY: ['{path} cannot be written: {why}', 'Choose a folder that can be written, with {option}.'],
  IMAGE_UNSIGNED: ['{file} cannot be verified: {why}', 'Get it again together with its signature; do not use it.'],
  IMAGE_ALTERED: ['{file} is not what was signed: {why}', 'Get it again from where it was made; do not use it.'],
  IMAGE_UNFIT: [
    '{file} is no image that can be made ready for a box: {why}',
    'Take one as `marshlight image build` makes it, whole; compare its size and signature.',
  ],
  SEGMENT_UNKNOWN: ['no card of this machine is in {cidr}', 'Plug the appliance into that segment or change the plan.'],
  SEGMENT_TOO_LARGE: [
    '{cidr} has {hosts} addresses, more than the limit of {limit}',
    'Name the parts of it to scan in `scan.ranges` of the controller’s config.json, or raise `scan.maxHosts` there.',
  ],
  TARGET_OUTSIDE: [
    '{target} is outside the segment {cidr}',
    'Only addresses of the appliance’s own segments are ever scanned.',
  ],
  NO_FREE_ADDRESS: ['no free address in {cidr}: {why}', 'Retire a decoy there: `marshlight decoys retire ID`.'],
  ADDRESS_TAKEN: ['{ip} is in use by {mac}', 'The decoy leaves; the controller chooses another address.'],
  SCAN_FAILED: ['nmap ended with {why}', 'Run `marshlight-agent doctor`.'],
  SCAN_BUSY: ['a scan of {cidr} is running already', 'Wait for it, or cancel it with `marshlight scans cancel`.'],
  TOKEN_INVALID: ['the enrolment token is not valid: {why}', 'Ask for a new one: `marshlight agents invite`.'],
  TOKEN_USED: ['the enrolment token {id} was used already', 'Ask for a new one: `marshlight agents invite`.'],
  TOKEN_EXPIRED: ['the enrolment token {id} expired at {expiresAt}', 'Ask for a new one: `marshlight agents invite`.'],
  TOKEN_REJECTED: [
    'an administrator rejected this box, which came with the enrolment token {id}',
    'Ask the administrator why; a new one: `marshlight agents invite`.',
  ],
  WAITS_FOR_APPROVAL: [
    'this box waits until an administrator approves it (token {id})',
    'On the controller: `marshlight agents waiting`, then `marshlight agents approve`.',
  ],
  TOKEN_MISPLACED: [
    'the enrolment token {id} is not for this place: it is for {meant}, and was used from {source}',
    'Is this the right box, in the socket it is meant for? Else have a new one made: `marshlight agents invite --anywhere`.',
  ],
  ENROLMENT_FILE_INVALID: [
    '{file}: {path} is {value}: {why}',
    'Mend it, or have a new one made: `marshlight agents invite --segment NAME --out DIR/`.',
  ],
  CODE_MISTYPED: [
    'the code is mistyped{where}',
    'Compare it with the one that you were given, group by group; nothing was sent yet.',
  ],
  CODE_MISMATCH: [
    'the code was not made by the controller at {address}',
    'Check the address, then the code. If both are right, somebody is in between: do not go on, tell the administrator.',
  ],
  CODE_GUESSED: [
    'too many wrong codes came {from}; until {until} codes are refused',
    'Wait, or enrol by a file, which is always taken: `marshlight agents invite --out`.',
  ],
  CA_MISMATCH: [
    '{address} shows a CA with fingerprint {seen}, the token names {expected}',
    'This is not the controller the token came from. Check the address.',
  ],
  CONTROLLER_UNREACHABLE: [
    'the controller at {address} does not answer: {why}',
    'Check address, cable and firewall; `marshlight-agent doctor` says which step fails.',
  ],
  CONTROLLER_BUSY: [
    'the controller at {address} lets nobody in just now: {why}',
    'The agent comes again by itself, after a longer while. If it lasts, look at the load of the controller’s machine.',
  ],
  PROXY_REFUSED: [
    'the proxy {proxy} gives no way to {address}: {why}',
    'Ask whoever runs the proxy to let this box through to that address (CONNECT), or mend `proxy` in agent.json.',
  ],
  NOT_ENROLLED: [
    'this agent is not enrolled ({path} has no certificate)',
    'Run `marshlight-agent enrol --controller HOST:PORT --token TOKEN`.',
  ],
  WIPED: [
    'this box was taken back at {at} and forgot its keys and records: {reason}',
    'To use it again: `marshlight agents invite`, then `marshlight-agent enrol` on the box.',
  ],
  ALREADY_ENROLLED: ['this agent is enrolled already, as {agent}', 'Remove {path} first if it shall become another.'],
  CERTIFICATE_REFUSED: [
    'the certificate was refused: {why}',
    'Ask the administrator whether it was revoked; enrol again.',
  ],
  CERTIFICATE_EXPIRING: [
    'the certificate of this agent expires at {at}',
    'It renews itself where it reaches the enrolment server: see `marshlight-agent status`; else enrol again.',
  ],
  DOCUMENT_MALFORMED: [
    'a signed document does not fit its schema: {why}',
    'It is refused; the last good one stays in force.',
  ],
  DOCUMENT_UNSOUND: [
    'the {document} for an agent cannot be signed, {path} is {value}: {why}',
    'The last one stays in force. Mend what it is made from: the controller’s config.json, or fewer decoys of this agent.',
  ],
  DOCUMENT_FORGED: [
    'a document for {agent} is not signed by the controller',
    'It is refused; the last good one stays in force.',
  ],
  DOCUMENT_FOREIGN: ['a document for {meant} came to {agent}', 'It is refused; the last good one stays in force.'],
  DOCUMENT_EXPIRED: [
    'a document expired at {expiresAt}',
    'It is refused; check the clock with `marshlight-agent doctor`.',
  ],
  DOCUMENT_REPLAYED: [
    'revision {revision} of {document} came, {held} is held',
    'It is refused; the last good one stays in force.',
  ],
  BATCH_MALFORMED: [
    'a batch of {agent} on {stream} cannot be read: {why}',
    'It stands in the dead letters: `marshlight events dead`.',
  ],
  STATE_CORRUPT: ['{path} is damaged: {why}', 'It was set aside as {aside}; work goes on from what can be read.'],
  KEY_SEALED_ELSEWHERE: [
    'the key of this box cannot be opened: {why}',
    'Pull the box’s plug, wait a minute, and plug it in: where its TPM opens the key then, it takes it back by itself. If it stays so, it needs a new invitation: `marshlight agents replace` at the centre, then its file or code here.',
  ],
  TPM_FAILED: [
    'the TPM of this box failed ({what}): {why}',
    'It is tried again. If it stays so, pull the box’s plug, wait a minute, and plug it in. If that does not help, give it a new file (`marshlight agents replace` at the centre): it takes that after some minutes.',
  ],
  DATABASE_CORRUPT: [
    'the database {path} is damaged: {why}',
    'It was left untouched; restore a backup, or move it away and start anew.',
  ],
  KEY_DAMAGED: ['{path} cannot be used: {why}', 'Restore it from a backup; nothing was changed.'],
  CANNOT_LISTEN: ['cannot listen at {address}: {why}', 'End what uses it, or change host and port in config.json.'],
  RELEASE_UNSIGNED: [
    '{what} of a release is not signed by a release key: {why}',
    'Nothing of it was kept. Get it again from where releases are made, or see which keys are trusted: `marshlight updates keys`.',
  ],
  RELEASE_DAMAGED: [
    '{what} of a release is not as it was made: {why}',
    'Nothing of it was kept. Copy the release again, or make it anew.',
  ],
  RELEASE_OLDER: [
    'release {version} has sequence {sequence}, below {highest} of {newest}',
    'An older release is only for going back: then add it with `--older`.',
  ],
  UPDATE_KEY_MISSING: [
    'this box has no release key, so it takes no release',
    'Put the public key of who makes your releases into release-keys of the state folder (/var/lib/marshlight-agent).',
  ],
  UPDATE_OLDER: [
    'release {version} has sequence {sequence}, below {highest} that this box runs or ran',
    'To go back on purpose, allow it where the update is ordered.',
  ],
  UPDATE_WRONG_ARCH: [
    'release {version} is for {found}, this box is {arch}',
    'Take a release that was made for this kind of box.',
  ],
  UPDATE_NO_LAUNCHER: [
    'this agent was started without its launcher, so nobody could go back to the version before',
    'Install the agent by its package or an image; one that runs from source is updated there.',
  ],
  UPDATE_NO_SPACE: [
    'an update needs {needed} MB at {path}, {free} MB are free',
    'Nothing was changed. Free some space, then order the update anew.',
  ],
  UPDATE_ALTERED: ['{file} is not what was signed: {why}', 'Nothing of it was used. Get the release again.'],
  UPDATE_UNUSABLE: ['{what} cannot be used: {why}', 'The version before goes on. Make the release anew.'],
  NOT_FOUND: ['there is no {kind} {value}', 'List them with `{command}`.'],
  AMBIGUOUS: ['{value} fits more than one {kind}: {matches}', 'Give more of it.'],
  NEVER_BLOCK: [
    '{cidr} holds {protected}, which is never blocked ({why})',
    'Block something narrower, or change the never-block list.',
  ],
  DRIFT_UNUSABLE: [
    'this drift would make the decoy useless: {why}',
    'Give less (--share, --ms, --hours or a lower intensity), or clear what is in force first.',
  ],
  CONFLICT: ['{what}', '{next}'],
  API_UNREACHABLE: [
    'the controller does not answer at {address}: {why}',
    'Is `marshlight serve` running? Name another socket with --api.',
  ],
  API_DENIED: ['the API refused the token', 'Give the right one by MARSHLIGHT_API_TOKEN_FILE.'],
  COMMAND_FAILED: ['`{command}` failed: {why}', '{next}'],
  TIMEOUT: ['{what} took longer than {seconds} s', '{next}'],
  NO_SUCH_METHOD: ['{port} cannot do {what}', 'This is a fault of the program: please report it.'],
} as const

export type ErrorCode = keyof typeof errorTexts
export type ErrorDetails = Record<string, string | number | undefined>

export class MarshlightError extends Error {
  override readonly name = 'MarshlightError'
  readonly code: ErrorCode
  readonly next: string
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    const [what, next] = errorTexts[code]
    super(fill(what, details), options)
    this.code = code
    this.next = fill(next, details)
    this.details = details
  }
}

/** An error's words without its stack, causes included, for logs and reasons. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? wordsOf(error.cause) : ''
  return error.message.includes(cause) ? error.message : `${error.message} (${cause})`
}

const fill = (text: string, details: ErrorDetails) =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? '?'))
