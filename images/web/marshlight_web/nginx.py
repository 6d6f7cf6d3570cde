"""The configuration of nginx: Debian's own, with the persona's sites and nothing that could run or reach anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from marshlight_services.persona import Persona

from . import places
from .site import Site, of_red_hat

# The statuses whose pages nginx may press together on the way, so that nothing behind it can find its name in them.
PRESSED = {401: "Authorization Required", 403: "Forbidden", 404: "Not Found", 405: "Not Allowed"}
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def configuration(persona: Persona, sites: Sequence[Site], run: Path, installed: str) -> str:
    red_hat = of_red_hat(persona)
    # As their packages ship it; where a line is missing there, nginx's own default is 75.
    keep = "keepalive_timeout 65;" if red_hat or "20.04" in persona.os else ""
    temporary = "\n".join(f"  {name}_temp_path {quoted(str(run / name))};" for name in TEMPORARY)
    return f"""daemon off;
worker_processes 1;
pid {quoted(str(run / "nginx.pid"))};
error_log stderr crit;
events {{ worker_connections 768; }}
http {{
{temporary}
  access_log off;
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 2048;
  {keep}
  include {quoted(str(places.NGINX_TYPES))};
  default_type application/octet-stream;
  {"" if red_hat else "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on;"}
  gzip {"off" if red_hat else "on"};
  geo $dollar {{ default "$"; }}
{"".join(server(site, run, installed) for site in sites)}}}
"""


def server(site: Site, run: Path, installed: str) -> str:
    service = site.service
    tls = service.kind == "https"
    lines = [f"listen {service.port} default_server{' ssl' if tls else ''};", "server_name _;"]
    lines += [f"root {quoted(str(site.root))};", "index index.html index.htm index.nginx-debian.html;"]
    if tls:
        lines += [f"ssl_certificate{key} {quoted(str(site.certificate))};" for key in ("", "_key")]
    if site.name == "nginx":
        lines.append("server_tokens off;")
    lines += [f"add_header {quoted(name)} {quoted(value)} always;" for name, value in site.headers]
    if service.text("realm"):
        lines.append(f"auth_basic {quoted(service.text('realm'))};")
        lines.append(f"auth_basic_user_file {quoted(str(run / 'nobody'))};")
    if site.name not in ("nginx", installed):
        for status, reason in PRESSED.items():
            lines.append(f"error_page {status} @e{status};")
            lines.append(f"location @e{status} {{ default_type text/html; return {status} {quoted(page(status, reason, site.name))}; }}")
    lines.append("location / { try_files $uri $uri/ =404; }")
    if service.text("redirect") and "/" not in service.pages:
        lines.append(f"location = / {{ return 302 {quoted(service.text('redirect'))}; }}")
    forms = {path: number for number, (path, _, _) in enumerate(site.forms)}
    typed = {path: (kind, place) for path, kind, place in site.typed}
    for path in sorted({*typed, *forms} - ({"/"} - set(forms))):
        own = [] if path not in typed else [f"types {{ }} default_type {quoted(typed[path][0])};", alias(typed[path][1])]
        answered = [f"error_page 405 =200 @form{forms[path]};"] if path in forms else []
        file = [] if path in typed or path != "/" else ["try_files /index.html =404;"]
        lines.append(f"location = {quoted(path)} {{ {' '.join([*own, *answered, *file])} }}")
    for number, (_, kind, place) in enumerate(site.forms):
        # As a program behind the form answers: without the dates and ranges of a file.
        lines.append(f"location @form{number} {{ default_type {quoted(kind)}; return 200 {quoted(place.read_text())}; }}")
    return "  server {\n" + "".join(f"    {line}\n" for line in lines) + "  }\n"


def alias(place: Path) -> str:
    return f"alias {quoted(str(place))};"


def page(status: int, reason: str, name: str) -> str:
    """Word for word what nginx says by itself, below another name."""
    title = f"{status} {reason}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        f"<hr><center>{name}</center>\r\n</body>\r\n</html>\r\n"
    )


def quoted(text: str) -> str:
    """One word of a configuration; a dollar sign would begin a variable."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${dollar}")
    return f'"{escaped}"'
