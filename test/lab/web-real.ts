import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { eventually } from './cowrie-pod.ts'
import type { Segment } from './decoys-segment.ts'

const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })

/** Debian's sites and settings untouched but for the ports, a certificate, and the site's files. */
const start = (changed: string, docsChanged: string) => `set -e
printf '<!doctype html><title>files</title><h1>files</h1>\\n' > /var/www/html/index.html
mkdir -p /var/www/html/docs && printf '<p>docs</p>\\n' > /var/www/html/docs/index.html
rm -f /var/www/html/index.nginx-debian.html
touch -d '${changed}' /var/www/html/index.html
touch -d '${docsChanged}' /var/www/html/docs/index.html
cat > /etc/nginx/conf.d/tls.conf << END
server { listen 443 ssl default_server; root /var/www/html; index index.html; server_name _;
  ssl_certificate /tls.pem; ssl_certificate_key /tls.pem; location / { try_files \\$uri \\$uri/ =404; } }
END
sed -i 's/^Listen 80$/Listen 8080/; s/Listen 443/Listen 8443/' /etc/apache2/ports.conf
sed -i 's/:80>/:8080>/' /etc/apache2/sites-available/000-default.conf
sed -i 's/:443>/:8443>/; s#/etc/ssl/certs/ssl-cert-snakeoil.pem#/tls.pem#; /ssl-cert-snakeoil.key/d' \\
  /etc/apache2/sites-available/default-ssl.conf
echo ServerName filer01.corp.lan > /etc/apache2/conf-enabled/name.conf
a2enmod -q ssl > /dev/null && a2ensite -q default-ssl > /dev/null
nginx && exec apachectl -D FOREGROUND`

/** A host with Debian's nginx on 80 and 443 and its Apache on 8080 and 8443, plugged into the segment. */
export async function realWebHost(t: Test, segment: Segment, host: number, key: string, changed: readonly string[]) {
  const name = `web-real-${process.pid}`
  t.teardown(() => run('docker', 'rm', '-f', '-v', name))
  run(
    'docker',
    'create',
    '--name',
    name,
    '--hostname',
    'filer01',
    '--network',
    'none',
    'marshlight/web-root:dev',
    'sh',
    '-c',
    start(changed[0] ?? '', changed[1] ?? ''),
  )
  run('docker', 'cp', key, `${name}:/tls.pem`)
  run('docker', 'start', name)
  const pid = run('docker', 'inspect', '-f', '{{.State.Pid}}', name).trim()
  run('ip', '-n', segment.bridge, 'link', 'add', 'pweb', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid)
  run('ip', '-n', segment.bridge, 'link', 'set', 'pweb', 'master', 'br0', 'up')
  const ip = segment.cidr.replace('0/24', String(host))
  run('nsenter', '-t', pid, '-n', 'ip', 'addr', 'add', `${ip}/24`, 'dev', 'eth0')
  run('nsenter', '-t', pid, '-n', 'ip', 'link', 'set', 'eth0', 'up')
  const ports = () => segment.onNeighbour('nmap', '-n', '-Pn', '-p', '80,443,8080,8443', ip)
  await eventually(async () => (ports().match(/ open /g)?.length === 4 ? true : undefined), 'the real host listens', 30)
  return ip
}

const program = `
import concurrent.futures, json, socket, ssl, sys
ip, asked = sys.argv[1], json.load(sys.stdin)
def answer(port, pieces):
    heard = b""
    try:
        s = socket.create_connection((ip, port), 5)
        if port in (443, 8443):
            context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
            s = context.wrap_socket(s)
        for piece in pieces:
            s.sendall(bytes.fromhex(piece)); s.settimeout(0.4)
            try:
                while data := s.recv(65536): heard += data
                return heard + b"<end>"
            except TimeoutError: heard += b"<silent>"
        return heard
    except OSError as error: return heard + type(error).__name__.encode()
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    told = list(pool.map(lambda one: answer(*one).decode("latin-1"), asked))
json.dump(told, sys.stdout)`

/** What each server answers: to each piece of a request, up to the end of the connection or a while of silence. */
export function answers(segment: Segment, ip: string, asked: readonly [port: number, ...pieces: string[]][]): string[] {
  const input = JSON.stringify(
    asked.map(([port, ...pieces]) => [port, pieces.map((one) => Buffer.from(one, 'latin1').toString('hex'))]),
  )
  const output = execFileSync('ip', ['netns', 'exec', segment.neighbour, 'python3', '-c', program, ip], {
    encoding: 'utf8',
    input,
  })
  return JSON.parse(output) as string[]
}

const manyProgram = `
import socket, sys, time
ip, port, count, most = sys.argv[1], *map(int, sys.argv[2:])
some = [socket.create_connection((ip, port), 5) for _ in range(count)]
for s in some: s.sendall(b"GET / HTTP/1.1\\r\\n"); s.setblocking(False)
def ended(s):
    try: return s.recv(1) == b""
    except BlockingIOError: return False
    except OSError: return True
end = time.monotonic() + 8
while (kept := [ended(s) for s in some].count(False)) > most and time.monotonic() < end: time.sleep(0.05)
print(kept)`

/** How many of so many connections at once are kept open, once no more than `most` are. */
export const kept = (segment: Segment, ip: string, port: number, count: number, most: number): number =>
  Number(segment.onNeighbour('python3', '-c', manyProgram, ip, String(port), String(count), String(most)))

const halfProgram = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
s.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n"); print("sent", flush=True); sys.stdin.readline()
s.sendall(b"Connection: close\\r\\n\\r\\n"); heard = b""
while data := s.recv(65536): heard += data
sys.stdout.write(heard.decode("latin-1"))`

/** Sends half a request; `finish` sends the rest and gives the answer. */
export async function halfARequest(segment: Segment, ip: string, port: number) {
  const child = spawn('ip', ['netns', 'exec', segment.neighbour, 'python3', '-c', halfProgram, ip, String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let said = ''
  const sent = once(child.stdout, 'data')
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    said += piece
  })
  await sent
  return async (): Promise<string> => {
    child.stdin.end('\n')
    await once(child, 'close')
    return said.replace(/^sent\n/, '')
  }
}
