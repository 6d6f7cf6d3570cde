"""What the hosts of the bench's segment talk to: a resolver and a package archive with ranges and dates,
the latter over TLS as well. Arguments: address, folder of `tls.pem` and `tls.key`."""

import email.utils
import http.server
import random
import socket
import ssl
import sys
import threading

ADDRESS = sys.argv[1]
SEED = random.Random("files")
FILES = {
    f"/debian/dists/{suite}/{name}": SEED.randbytes(int(SEED.lognormvariate(9.5 if "/" in name else 8.5, 0.8)))
    for suite in ("bookworm", "bookworm-updates", "bookworm-security")
    for name in ("InRelease", "main/binary-amd64/Packages.xz", "main/i18n/Translation-en.xz", "main/binary-amd64/Packages.gz")
}
DATE = email.utils.formatdate(1_772_000_000, usegmt=True)


class Archive(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body, status = FILES.get(self.path, b"not found"), 200 if self.path in FILES else 404
        wanted = self.headers.get("Range", "")
        further = []
        if self.headers.get("If-Modified-Since") and status == 200:
            body, status = b"", 304
        elif wanted.startswith("bytes=") and wanted.endswith("-"):
            start = int(wanted[6:-1])
            further = [("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")]
            body, status = body[start:], 206
        self.send_response(status)
        for name, value in [("Last-Modified", DATE), ("Content-Length", str(len(body))), *further]:
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def resolve():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((ADDRESS, 53))
        while True:
            query, asker = listener.recvfrom(4096)
            asked = query[12 : query.index(b"\x00", 12) + 5]
            is_a = asked[-4:-2] == b"\x00\x01"
            answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton(ADDRESS) if is_a else b""
            head = query[:2] + b"\x81\x80\x00\x01" + (b"\x00\x01" if is_a else b"\x00\x00") + b"\x00\x00\x00\x00"
            listener.sendto(head + asked + answer, asker)


threading.Thread(target=resolve, daemon=True).start()
web, secure = (http.server.ThreadingHTTPServer((ADDRESS, port), Archive) for port in (80, 443))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{sys.argv[2]}/tls.pem", f"{sys.argv[2]}/tls.key")
secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
threading.Thread(target=secure.serve_forever, daemon=True).start()
print("ready", flush=True)
web.serve_forever()
