"""A host has the programs of its packages, and no others; what dpkg knows agrees."""

from __future__ import annotations

import dataclasses
import stat as st
import tempfile
import unittest
from pathlib import Path

import given
from marshlight_cowrie.persona import Package
from marshlight_cowrie.tree import alternatives
from marshlight_cowrie.tree.pack import Entry, pack
from marshlight_cowrie.tree.trees import Trees

RECORD = """auto
/usr/bin/awk
awk.1.gz
/usr/share/man/man1/awk.1.gz

/usr/bin/gawk
10
/usr/share/man/man1/gawk.1.gz
/usr/bin/mawk
5


"""
STATUS = b"Package: dpkg\nVersion: 1\n\nPackage: gawk\nVersion: 2\n\nPackage: mawk\nVersion: 3\n\n"


def tree() -> bytes:
    """dpkg and mawk are on every host; gawk is there, and the better awk, where it is installed."""
    paths = ("/usr", "/usr/bin", "/etc", "/etc/alternatives", "/var", "/var/lib", "/var/lib/dpkg", alternatives.RECORDS)
    folders = [Entry(path, st.S_IFDIR | 0o755, mtime=1, size=4096) for path in paths]
    programs = [("/usr/bin/dpkg", 0), ("/usr/bin/gawk", 1), ("/usr/bin/mawk", 2)]
    files = [Entry(path, st.S_IFREG | 0o755, mtime=1, data=b"#!", package=number) for path, number in programs]
    links = [("/usr/bin/awk", b"/etc/alternatives/awk"), ("/etc/alternatives/awk", b"/usr/bin/gawk")]
    files += [Entry(path, st.S_IFLNK | 0o777, mtime=1, data=target, package=1) for path, target in links]
    files.append(Entry(f"{alternatives.RECORDS}/awk", st.S_IFREG | 0o644, mtime=1, data=RECORD.encode()))
    files.append(Entry("/var/lib/dpkg/status", st.S_IFREG | 0o644, mtime=1, data=STATUS))
    names = [("dpkg", False), ("gawk", False), ("mawk", False)]
    return pack([*folders, *files], names, {"essential": ["dpkg", "mawk"]})


class ProgramsOfPackages(unittest.TestCase):
    def host(self, *names: str, version: str = "12 (bookworm)"):
        persona = given.persona("plain")
        system = dataclasses.replace(persona.os, id="debian", version=version)
        packages = tuple(Package(name, "1", "amd64", "") for name in names)
        persona = dataclasses.replace(persona, os=system, packages=packages)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "debian-12.tree").write_bytes(tree())
            return Trees(persona, folder=Path(folder)).view("a", 0, (0,))

    def test_what_is_not_installed_is_not_there_and_the_next_best_is_chosen(self) -> None:
        view = self.host("dpkg", "mawk")
        with self.assertRaises(FileNotFoundError):
            view.stat("/usr/bin/gawk")
        self.assertEqual(view.realpath("/usr/bin/awk"), "/usr/bin/mawk")
        self.assertNotIn(b"gawk", view.read("/var/lib/dpkg/status"))
        self.assertNotIn(b"gawk", view.read(f"{alternatives.RECORDS}/awk"))

    def test_what_is_installed_stays_as_it_was(self) -> None:
        view = self.host("dpkg", "gawk", "mawk")
        self.assertEqual(view.realpath("/usr/bin/awk"), "/usr/bin/gawk")
        self.assertEqual(view.read("/var/lib/dpkg/status"), STATUS)
        self.assertEqual(view.read(f"{alternatives.RECORDS}/awk"), RECORD.encode())

    def test_a_list_that_cannot_be_whole_or_is_of_another_release_hides_nothing(self) -> None:
        for view in (self.host("mawk"), self.host("dpkg", "mawk", version="11 (bullseye)")):
            self.assertEqual(view.realpath("/usr/bin/awk"), "/usr/bin/gawk")

    def test_records_of_alternatives_are_written_as_they_are_read(self) -> None:
        self.assertEqual(alternatives.read("awk", RECORD).text(), RECORD)


if __name__ == "__main__":
    unittest.main()
