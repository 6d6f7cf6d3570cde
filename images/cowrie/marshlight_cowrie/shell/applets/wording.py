"""
How BusyBox words what GNU programs say on standard error: one line in, one line out.

A rule: which applets (none: all), what is said, what BusyBox says instead.
"""

from __future__ import annotations

import re

QUOTED = r"[‘'](?P<f>.*?)[’']"
SHOWN = r"(?P<q>['‘\"]?)(?P<f>.*?)(?:['’\"]?)"
#: These say of what they cannot open that they can't open it.
OPENING = "cat tail md5sum sha1sum sha256sum sha512sum sha3sum sed awk dd hexdump xxd od sort uniq wc cut tac rev tee strings diff patch".split()
#: These name the file alone.
NAMING = "head wc cut cmp gunzip gzip zcat bzip2 bunzip2 bzcat xz unxz xzcat uniq sort nl fold expand".split()

RULES: tuple[tuple[frozenset[str], re.Pattern[str], str], ...] = tuple(
    (frozenset(names.split()), re.compile(pattern), said)
    for names, pattern, said in (
        ("cat", r"cat: (?P<f>.*): Is a directory", "cat: read error: Is a directory"),
        ("rm", rf"rm: cannot remove {SHOWN}: Is a directory", r"rm: '\g<f>' is a directory"),
        ("rm", rf"rm: cannot remove {SHOWN}: (?P<e>[^:]+)", r"rm: can't remove '\g<f>': \g<e>"),
        ("rmdir", rf"rmdir: failed to remove {SHOWN}: (?P<e>[^:]+)", r"rmdir: '\g<f>': \g<e>"),
        ("mkdir", rf"mkdir: cannot create directory {SHOWN}: (?P<e>[^:]+)", r"mkdir: can't create directory '\g<f>': \g<e>"),
        ("touch", rf"touch: cannot touch {SHOWN}: (?P<e>[^:]+)", r"touch: \g<f>: \g<e>"),
        ("cp", r"cp: -r not specified; omitting directory '(?P<f>.*)'", r"cp: omitting directory '\g<f>'"),
        ("mv", rf"mv: cannot stat {SHOWN}: (?P<e>[^:]+)", r"mv: can't rename '\g<f>': \g<e>"),
        ("cp stat", rf"(?P<c>\w+): cannot stat[x]? {SHOWN}: (?P<e>[^:]+)", r"\g<c>: can't stat '\g<f>': \g<e>"),
        ("cp mv", rf"(?P<c>\w+): cannot create (?:regular file|directory) {SHOWN}: (?P<e>[^:]+)", r"\g<c>: can't create '\g<f>': \g<e>"),
        ("ln", rf"ln: failed to (?:create|access) (?:\w+ link )?{SHOWN}(?: => .*)?: (?P<e>[^:]+)", r"ln: \g<f>: \g<e>"),
        ("", rf"(?P<c>\S+): cannot access {SHOWN}: (?P<e>[^:]+)", r"\g<c>: \g<f>: \g<e>"),
        ("", rf"(?P<c>\S+): cannot open directory {SHOWN}: (?P<e>[^:]+)", r"\g<c>: can't open '\g<f>': \g<e>"),
        ("head", rf"head: cannot open {SHOWN} for reading: (?P<e>[^:]+)", r"head: \g<f>: \g<e>"),
        ("", rf"(?P<c>\S+): cannot open {SHOWN} for reading: (?P<e>[^:]+)", r"\g<c>: can't open '\g<f>': \g<e>"),
        ("", rf"(?P<c>\S+): failed to open {SHOWN}(?: for \w+)?: (?P<e>[^:]+)", r"\g<c>: can't open '\g<f>': \g<e>"),
        ("chmod", rf"chmod: invalid mode: {SHOWN}", r"chmod: invalid mode '\g<f>'"),
        ("chmod chown chgrp", rf"(?P<c>\w+): changing (?:permissions|ownership|group) of {SHOWN}: (?P<e>[^:]+)", r"\g<c>: \g<f>: \g<e>"),
        ("chown", rf"chown: invalid user: {SHOWN}", r"chown: unknown user \g<f>"),
        ("chown chgrp", rf"(?P<c>\w+): invalid group: {SHOWN}", r"\g<c>: unknown group \g<f>"),
        ("id", rf"id: {SHOWN}: no such user", r"id: unknown user \g<f>"),
        ("find", rf"find: {QUOTED}: (?P<e>[^:]+)", r"find: \g<f>: \g<e>"),
        ("sleep usleep", rf"(?P<c>\w+): invalid time interval {SHOWN}", r"\g<c>: invalid number '\g<f>'"),
        ("date", rf"date: invalid date {SHOWN}", r"date: invalid date '\g<f>'"),
        ("cut", r"cut: you must specify a list of .*", "cut: expected a list of bytes, characters, or fields"),
        ("expr", r"expr: syntax error.*", "expr: syntax error"),
        ("expr", r"expr: non-integer argument", "expr: non-numeric argument"),
        ("killall", r"(?P<f>[^:]+): no process found", r"killall: \g<f>: no process killed"),
        ("tar", r"tar: (?P<f>.*): Cannot open: (?P<e>[^:]+)", r"tar: can't open '\g<f>': \g<e>"),
        ("tar", r"tar: (?:Error is not recoverable|Exiting with failure|Child returned).*", ""),
        ("unzip", r"unzip:\s+cannot find or open (?P<f>[^,]*),.*", r"unzip: can't open \g<f>[.zip]"),
        ("gzip gunzip zcat", r"gzip: (?P<f>.*)\.gz: (?P<e>No such file.*)", r"{name}: \g<f>: \g<e>"),
        ("gzip gunzip zcat", r"gzip: (?P<f>.*): not in gzip format", "{name}: no gzip/bzip2/xz magic"),
        ("gzip gunzip zcat bunzip2 bzcat", r"g?b?zip2?: (?P<f>.*): (?P<e>[^:]+)", r"{name}: \g<f>: \g<e>"),
        ("sed", r"sed: -e expression #\d+, char \d+: unterminated `s' command", "sed: unmatched '/'"),
        ("sed", r"sed: -e expression #\d+, char \d+: unknown command: `(?P<f>.)'", r"sed: unsupported command \g<f>"),
        ("egrep fgrep", r"[ef]grep: warning:.*", ""),
        ("grep egrep fgrep", r"(?P<c>\w+): (?P<f>.*): Is a directory", r"\g<c>: \g<f>: Is a directory"),
        ("find", r"find: unknown predicate `(?P<f>[^']*)'", r"find: unrecognized: \g<f>"),
        ("gzip gunzip zcat", r"gzip: (?P<f>.*)\.gz: (?P<e>No such file.*)", r"{name}: \g<f>: \g<e>"),
        ("gzip gunzip zcat", r"", ""),
        ("cmp", r"cmp: EOF on (?P<f>\S+) (?:after|which).*", r"cmp: EOF on \g<f>"),
        (" ".join(name for name in OPENING if name not in NAMING), r"(?P<c>\S+): (?:can't read )?(?P<f>.*): (?P<e>No such file or directory|Permission denied)", r"\g<c>: can't open '\g<f>': \g<e>"),
        ("", r"(?P<c>\S+): unrecognized option '(?P<f>[^']*)'", r"\g<c>: unrecognized option '\g<f>'"),
    )
)


def reworded(name: str, line: str) -> str | None:
    """None where BusyBox says nothing."""
    for names, pattern, said in RULES:
        if names and name not in names:
            continue
        found = pattern.fullmatch(line)
        if found:
            return found.expand(said.replace("{name}", name)) or None
    return line
