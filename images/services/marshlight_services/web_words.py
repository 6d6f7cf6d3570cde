"""How the web servers of the world word their headers and errors."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .persona import Service

REASONS = {
    **{200: "OK", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Found"},
    **{303: "See Other", 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden"},
    **{404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 411: "Length Required"},
    **{413: "Request Entity Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 500: "Internal Server Error"},
    **{501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 505: "HTTP Version Not Supported"},
}
NGINX_REASONS = {
    **{302: "Moved Temporarily", 401: "Authorization Required", 405: "Not Allowed", 414: "Request-URI Too Large"},
    503: "Service Temporarily Unavailable",
}


def flavour_of(service: Service) -> str:
    if service.text("flavour"):
        return service.text("flavour")
    product = service.product.lower()
    known = {"nginx": "nginx", "openresty": "nginx", "apache": "apache", "lighttpd": "lighttpd"}
    known |= {"httpapi": "httpapi", "iis": "iis", "internet information": "iis"}
    return next((flavour for word, flavour in known.items() if word in product), "embedded")


def server_of(service: Service) -> str:
    """The Server header; empty for none."""
    if "server" in service.settings:
        return service.text("server")
    flavour = flavour_of(service)
    version, _, system = service.version.partition(" ")
    if flavour == "apache":
        # 2.4.57 (Debian), as a distribution's package says where it comes from.
        return f"Apache/{version}" + (f" {system}" if system else "")
    names = {"nginx": "nginx", "lighttpd": "lighttpd", "iis": "Microsoft-IIS", "httpapi": "Microsoft-HTTPAPI"}
    name = "openresty" if "openresty" in service.product.lower() else names.get(flavour, service.product)
    return f"{name}/{version}" if version else name


@dataclass(frozen=True)
class Words:
    """One server's manner, for one service."""

    flavour: str
    server: str
    extra: tuple[tuple[str, str], ...]

    def reason(self, status: int) -> str:
        own = NGINX_REASONS if self.flavour in ("nginx",) else {}
        return own.get(status) or REASONS.get(status, "Unknown")

    def head(self, status: int, headers: list[tuple[str, str]], version: str = "HTTP/1.1") -> bytes:
        """`headers` without Date and Server, which stand where this server puts them."""
        date = ("Date", http_date(time.time()))
        server = [("Server", self.server)] if self.server else []
        if self.flavour == "nginx":
            ordered = [*server, date, *headers]
        elif self.flavour == "apache":
            ordered = [date, *server, *headers]
        elif self.flavour in ("iis", "httpapi"):
            at = next((at + 1 for at, (name, _) in enumerate(headers) if name == "Content-Type"), 0)
            length = [pair for pair in headers if pair[0] == "Content-Length"]
            rest = [pair for pair in headers if pair[0] != "Content-Length"]
            ordered = [*rest[:at], *server, *rest[at:], date, *length]
        elif self.flavour == "lighttpd":
            ordered = [*headers, date, *server]
        else:
            ordered = [*server, date, *headers]
        connection = [pair for pair in ordered if pair[0] == "Connection"] if self.flavour in ("iis", "httpapi") else []
        lines = [pair for pair in ordered if pair not in connection]
        if self.flavour in ("iis", "httpapi"):
            lines[-1:-1] = [("Connection", "close")] if ("Connection", "close") in connection else []
        lines += [pair for pair in self.extra if status != 400]
        text = "".join(f"{name}: {value}\r\n" for name, value in lines)
        return f"{version} {status} {self.reason(status)}\r\n{text}\r\n".encode("latin-1", "replace")

    def connection(self, close: bool, version: str, asked: bool = False) -> list[tuple[str, str]]:
        if self.flavour == "nginx":
            return [("Connection", "close" if close else "keep-alive")]
        if close:
            return [("Connection", "close")]
        if self.flavour == "apache":
            # Said only to clients that would not know by themselves.
            return [("Connection", "Keep-Alive")] if asked else []
        return [("Connection", "Keep-Alive")] if version == "HTTP/1.0" else []

    def error_type(self) -> str:
        types = {"nginx": "text/html", "apache": "text/html; charset=iso-8859-1", "iis": "text/html"}
        return types.get(self.flavour, "text/html; charset=us-ascii" if self.flavour == "httpapi" else "text/html")

    def error_page(self, status: int, path: str, host: str, port: int) -> bytes:
        reason = self.reason(status)
        if self.flavour == "nginx":
            title = f"{status} {reason}"
            page = (
                f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
                f"<hr><center>{self.server}</center>\r\n</body>\r\n</html>\r\n"
            )
        elif self.flavour == "apache":
            page = (
                '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n'
                f"<title>{status} {reason}</title>\n</head><body>\n<h1>{reason}</h1>\n"
                f"<p>{apache_words(status)}</p>\n<hr>\n"
                f"<address>{html.escape(self.server)} Server at {html.escape(host)} Port {port}</address>\n</body></html>\n"
            )
        elif self.flavour in ("iis", "httpapi"):
            page = (
                '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
                f"<HTML><HEAD><TITLE>{microsoft_title(status, reason)}</TITLE>\r\n"
                '<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>\r\n'
                f"<BODY><h2>{microsoft_heading(status, reason)}</h2>\r\n"
                f"<hr><p>HTTP Error {status}. {microsoft_words(status)}</p>\r\n</BODY></HTML>\r\n"
            )
        elif self.flavour == "lighttpd":
            page = (
                '<!DOCTYPE html>\n<html lang="en">\n <head>\n  <meta charset="UTF-8" />\n'
                f"  <title>{status} {reason}</title>\n </head>\n <body>\n  <h1>{status} {reason}</h1>\n </body>\n</html>\n"
            )
        else:
            page = f"<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>\n"
        return page.encode("latin-1", "replace")


def apache_words(status: int) -> str:
    return {
        400: "Your browser sent a request that this server could not understand.<br />\n",
        401: "This server could not verify that you\nare authorized to access the document\nrequested.  Either you "
        "supplied the wrong\ncredentials (e.g., bad password), or your\nbrowser doesn't understand how to supply\n"
        "the credentials required.",
        403: "You don't have permission to access this resource.",
        404: "The requested URL was not found on this server.",
        405: "The requested method is not allowed for this URL.",
        414: "The requested URL's length exceeds the capacity\nlimit for this server.<br />\n",
        501: "Method not supported.<br />\n",
        503: "The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\n"
        "problems. Please try again later.",
    }.get(status, "The server could not answer this request.")


def microsoft_title(status: int, reason: str) -> str:
    return {401: "Not Authorized"}.get(status, reason)


def microsoft_heading(status: int, reason: str) -> str:
    return {400: "Bad Request - Invalid Verb", 401: "Not Authorized"}.get(status, reason)


def microsoft_words(status: int) -> str:
    return {
        400: "The request verb is invalid.",
        401: "The requested resource requires user authentication.",
        404: "The requested resource is not found.",
        503: "The service is unavailable.",
    }.get(status, "The request could not be processed.")


def words_of(service: Service) -> Words:
    lines = service.text("headers").replace("\r", "").split("\n")
    pairs = tuple((name.strip(), value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon)
    return Words(flavour_of(service), server_of(service), pairs)


def http_date(seconds: float) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(seconds))
