"""The configuration of Apache: the modules and settings that Debian enables by itself, with the persona's sites."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from marshlight_services.persona import Persona

from . import places
from .site import Site, of_red_hat

# Enabled by Debian's package, less what writes or runs (CGI is not among them), and what the sites below need.
MODULES = (
    *("access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_core", "authz_host", "authz_user"),
    *("autoindex", "deflate", "dir", "env", "filter", "mime", "mpm_event", "negotiation", "reqtimeout", "setenvif"),
    *("status", "headers", "rewrite"),
)
TLS_MODULES = ("socache_shmcb", "ssl")
WITHOUT_SETTINGS = ("mpm_event", "ssl", "headers", "rewrite")


def configuration(persona: Persona, sites: Sequence[Site], run: Path) -> str:
    red_hat = of_red_hat(persona)
    tls = any(site.service.kind == "https" for site in sites)
    names = [name for name in (*MODULES, *(TLS_MODULES if tls else ())) if not (red_hat and name == "deflate")]
    # mod_mpm before the others that ask for it.
    load = "\n".join(f"LoadModule {name}_module {places.APACHE_MODULES / f'mod_{name}.so'}" for name in names)
    settings = [places.APACHE_SETTINGS / f"mods-available/{name}.conf" for name in names if name not in WITHOUT_SETTINGS]
    includes = "\n".join(f"Include {path}" for path in settings if path.exists())
    listens = "\n".join(f"Listen 0.0.0.0:{site.service.port} {site.service.kind}" for site in sites)
    return f"""ServerRoot {quoted(str(run))}
DefaultRuntimeDir {quoted(str(run))}
PidFile {quoted(str(run / "apache.pid"))}
ServerName {persona.full_name}
{listens}
{load}
Timeout {60 if red_hat else 300}
KeepAlive On
MaxKeepAliveRequests 100
KeepAliveTimeout 5
HostnameLookups Off
ErrorLog /dev/null
LogLevel emerg
# One process at work, and room for those that still serve who was there before a change.
StartServers 1
ServerLimit 4
ThreadLimit 10
ThreadsPerChild 10
MinSpareThreads 1
MaxSpareThreads 20
MaxRequestWorkers 20
AsyncRequestWorkerFactor 4
ServerTokens OS
ServerSignature {"Off" if red_hat else "On"}
TraceEnable {"On" if red_hat else "Off"}
{"AddDefaultCharset UTF-8" if red_hat else ""}
<Directory />
  Options FollowSymLinks
  AllowOverride None
  Require all denied
</Directory>
AccessFileName .htaccess
<FilesMatch "^\\.ht">
  Require all denied
</FilesMatch>
{includes}
{tls_settings(red_hat) if tls else ""}
{"".join(host(site, run) for site in sites)}"""


def tls_settings(red_hat: bool) -> str:
    """Debian's ssl.conf, whose question for a pass phrase has no place here."""
    return f"""AddType application/x-x509-ca-cert .crt
AddType application/x-pkcs7-crl .crl
SSLSessionCache shmcb:ssl_scache(512000)
SSLSessionCacheTimeout 300
SSLCipherSuite HIGH:!aNULL
SSLProtocol all -SSLv3
{"" if red_hat else "SSLSessionTickets off"}"""


def host(site: Site, run: Path) -> str:
    service = site.service
    lines = [f"DocumentRoot {quoted(str(site.root))}"]
    if service.kind == "https":
        lines += ["SSLEngine on", f"SSLCertificateFile {quoted(str(site.certificate))}"]
    lines += [f"<Directory {quoted(str(site.root.parent))}>", "Options Indexes FollowSymLinks", "Require all granted", "</Directory>"]
    if service.text("realm"):
        lines += ['<Location "/">', "AuthType Basic", f"AuthName {quoted(service.text('realm'))}"]
        lines += [f"AuthUserFile {quoted(str(run / 'nobody'))}", "Require valid-user", "</Location>"]
    lines += [f"Header always set {quoted(name)} {quoted(value.replace('%', '%%'))}" for name, value in site.headers]
    if service.text("redirect") and "/" not in service.pages:
        lines.append(f"RedirectMatch 302 ^/$ {quoted(service.text('redirect'))}")
    for path, kind, place in site.typed:
        if path != "/":
            lines.append(f"AliasMatch {quoted(exactly(path))} {quoted(str(place))}")
        lines += [f"<Location {quoted(path)}>", f"ForceType {quoted(kind)}", "</Location>"] if path != "/" else []
    refused = service.text("refusedPath")
    if refused in service.pages and site.forms:
        lines.append("RewriteEngine On")
        for path, _, _ in site.forms:
            lines.append("RewriteCond %{REQUEST_METHOD} =POST")
            lines.append(f"RewriteRule {quoted(exactly(path))} {quoted(refused)} [PT]")
    return f"<VirtualHost *:{service.port}>\n" + "".join(f"  {line}\n" for line in lines) + "</VirtualHost>\n"


def exactly(path: str) -> str:
    return "^" + "".join(one if one.isalnum() or one in "/_-" else f"\\{one}" for one in path) + "$"


def quoted(text: str) -> str:
    """One word of a configuration."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
