"""What the tap's records become, and what a persona becomes for real servers; Python's own library only."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from dataclasses import fields
from pathlib import Path
from unittest import mock

IMAGES = Path(__file__).parents[3] / "images"
sys.path[:0] = [str(IMAGES / part) for part in ("common", "services", "web")]

from marshlight_services.persona import Page, Persona, Service  # noqa: E402
from marshlight_web import apache, nginx, site, uploads  # noqa: E402
from marshlight_web.overheard import Overheard  # noqa: E402
from marshlight_web.records import ENDS, HEAD, Records  # noqa: E402


class Told:
    """A session that keeps what it is told."""

    kind = "http"

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def tell(self, what: str, **fields: object) -> None:
        self.lines.append((what, {name: value for name, value in fields.items() if value is not None}))

    def opened(self) -> None:
        self.tell("session.open")

    def closed(self) -> None:
        self.tell("session.close")

    def odd(self, text: object) -> None:
        self.tell("protocol.error", message=text)

    def refused_login(self, username: object, password: object = None, **more: object) -> None:
        self.tell("login.failed", username=username, password=password, **more)


def heard(*pieces: bytes) -> list[tuple[str, dict[str, object]]]:
    session = Told()
    overheard = Overheard(session)  # type: ignore[arg-type]
    for piece in pieces:
        overheard.heard(piece, clear=False)
    overheard.closed()
    return session.lines[1:-1]


class OverheardTest(unittest.TestCase):
    def test_a_form_in_any_pieces_is_one_request_and_a_log_in(self) -> None:
        text = b"POST /in HTTP/1.1\r\nContent-Length: 11\r\nUser-Agent: x\r\n\r\nuser=a&pw=bGET /next HTTP/1.0\r\n\r\n"
        whole = heard(text)
        self.assertEqual([what for what, _ in whole], ["request", "login.failed", "request"])
        self.assertEqual(whole[0][1] | {"version": "x"}, {"method": "POST", "url": "/in", "version": "x", "body": b"user=a&pw=b"})
        self.assertEqual(whole, heard(*(text[at : at + 1] for at in range(len(text)))))

    def test_bodies_in_chunks_and_bodies_that_never_come(self) -> None:
        chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\nGET /a HTTP/1.0\r\n\r\n"
        self.assertEqual([fields.get("body") or fields["url"] for _, fields in heard(chunked)], [b"abcde", "/a"])
        cut = heard(b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nhalf")
        self.assertEqual(cut, [("request", {"method": "POST", "url": "/", "body": b"half"})])

    def test_what_is_no_http_is_told_and_reading_goes_on(self) -> None:
        told = heard(b"EHLO x\x00y z\r\nGET /\r\nhalf a line")
        self.assertEqual([what for what, _ in told], ["protocol.error", "request", "protocol.error"])
        long = heard(b"x" * 40_000)
        self.assertEqual((long[0][0], len(long[0][1]["message"])), ("protocol.error", 200))  # type: ignore[arg-type]

    def test_a_large_body_is_kept_in_part(self) -> None:
        (_, fields), = heard(b"POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n", *[b"y" * 4000] * 75)
        self.assertEqual(len(fields["body"]), 65536)  # type: ignore[arg-type]

    def test_what_is_put_is_an_upload(self) -> None:
        with mock.patch("marshlight_web.overheard.keep") as keep:
            heard(b"PUT /x.php HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi")
            heard(b"POST /x HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        self.assertEqual([call.args[1].target for call in keep.call_args_list], ["/x.php"])
        self.assertTrue(uploads.MOST_KEPT > 0)


class RecordsTest(unittest.TestCase):
    def test_records_in_any_pieces_gaps_and_processes_that_are_gone(self) -> None:
        opened: list[tuple[object, object]] = []
        calls: list[tuple[str, object]] = []

        class Listener:
            def heard(self, data: bytes, clear: bool) -> None:
                calls.append(("heard", (data, clear)))

            def failed(self, reason: str) -> None:
                calls.append(("failed", reason))

            def missed(self) -> None:
                calls.append(("missed", None))

            def closed(self) -> None:
                calls.append(("closed", None))

        def open_one(source: object, target: object) -> Listener:
            opened.append((source, target))
            return Listener()

        records = Records(open_one)  # type: ignore[arg-type]
        ends = ENDS.pack(bytes([198, 18, 0, 9]), bytes([198, 18, 0, 20]), b"\xc0\x00", b"\x00\x50")

        def record(process: int, connection: int, number: int, kind: bytes, body: bytes = b"") -> bytes:
            return HEAD.pack(len(body), process, connection, number, kind) + body

        text = record(7, 1, 0, b"O", ends) + record(7, 1, 1, b"P", b"GET") + record(7, 1, 3, b"C", b"x")
        text += record(7, 2, 0, b"O", ends) + record(7, 0, 0, b"R", ends) + record(7, 1, 4, b"Z")
        for at in range(len(text)):
            records.feed(text[at : at + 1], 1.0)
        self.assertEqual(opened[0], (("198.18.0.9", 0xC000), ("198.18.0.20", 80)))
        self.assertEqual([name for name, _ in calls], ["heard", "missed", "heard", "closed"])
        self.assertEqual((records.refused, set(records.known)), (1, {(7, 2)}))
        records.sweep({7}, 2.0, 400.0)
        self.assertEqual(len(records.known), 1)
        records.sweep({8}, 2.0, 400.0)
        self.assertEqual(len(records.known), 0)
        with self.assertRaises(ValueError):
            records.feed(HEAD.pack(1 << 20, 1, 1, 1, b"P"), 1.0)


def persona(os_name: str, *services: Service) -> Persona:
    said = {"seed": "seed", "hostname": "web1", "domain": "corp.lan", "os": os_name, "booted_at": 1.7e9, "services": services}
    return Persona(**{one.name: said.get(one.name, ()) for one in fields(Persona)})  # type: ignore[arg-type]


def text_of(os_name: str, service: Service, flavour: str = "nginx") -> str:
    with tempfile.TemporaryDirectory() as folder:
        made = persona(os_name, service)
        run = Path(folder)
        sites = [site.site_of(made, service, flavour, run / "s", None)]
        if flavour == "nginx":
            return nginx.configuration(made, sites, run, "nginx/1.22.1")
        return apache.configuration(made, sites, run)


class ConfigurationTest(unittest.TestCase):
    def test_a_persona_cannot_break_out_of_a_word(self) -> None:
        settings = {"headers": 'X-A: a"; return 200 $uri\\', "realm": 'r"$host', "redirect": "/in$x"}
        service = Service("http", 80, "nginx", "1.22.1", settings)
        text = text_of("Debian GNU/Linux 12", service)
        self.assertIn('add_header "X-A" "a\\"; return 200 ${dollar}uri\\\\" always;', text)
        self.assertIn('auth_basic "r\\"${dollar}host";', text)
        self.assertIn('Header always set "X-A" "a\\"; return 200 $uri\\\\"', text_of("Debian", service, "apache"))

    def test_the_name_is_the_package_s_own(self) -> None:
        def name(os_name: str, flavour: str, **settings: str) -> str:
            service = Service("http", 80, "nginx" if flavour == "nginx" else "Apache httpd", "1.2", settings)
            return site.full_name(persona(os_name), service, flavour)

        self.assertEqual(name("Debian GNU/Linux 12 (bookworm)", "nginx"), "nginx/1.2")
        self.assertEqual(name("Ubuntu 22.04.3 LTS", "nginx"), "nginx/1.2 (Ubuntu)")
        self.assertEqual(name("Rocky Linux 9.3 (Blue Onyx)", "apache"), "Apache/1.2 (Rocky Linux)")
        self.assertEqual(name("DSM 7", "nginx", server="nginx"), "nginx")

    def test_pages_are_files_where_they_can_be_and_never_outside(self) -> None:
        odd = ["/a", "/a/b", "/../../etc/x", "/c d", "/e/", "/.git/config", "/f.css"]
        pages = {path: Page(path, 200, "text/css" if path == "/f.css" else "text/html", b"x") for path in odd}
        with tempfile.TemporaryDirectory() as folder:
            service = Service("http", 80, "nginx", "1.22.1", {}, pages)
            made = site.site_of(persona("Debian", service), service, "nginx", Path(folder) / "s", None)
            files = {str(path.relative_to(made.root)) for path in made.root.rglob("*") if path.is_file()}
            self.assertEqual(files, {"a/b", "e/index.html", "f.css", "index.html"})
            every = [Path(base) / name for base, _, names in os.walk(folder) for name in names]
            self.assertEqual(len(every), len(odd) + 1)
            self.assertEqual({path for path, _, _ in made.typed}, {"/a", "/a/b", "/../../etc/x", "/c d", "/.git/config"})


if __name__ == "__main__":
    unittest.main()
