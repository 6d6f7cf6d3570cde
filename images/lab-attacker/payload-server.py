"""Serves harmless files as an attacker's download server would; any name gives a script that only prints."""

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Payload(BaseHTTPRequestHandler):
    server_version = "nginx"
    sys_version = ""

    def do_GET(self):
        body = f"#!/bin/sh\n# {hashlib.sha256(self.path.encode()).hexdigest()}\necho harmless payload of the lab\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", 80), Payload).serve_forever()
