"""The colours of names: what dircolors prints, and what ls makes of LS_COLORS."""

from __future__ import annotations

import stat as modes
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .options import parse

if TYPE_CHECKING:
    from ..ports import Process, Stat

#: By kind, as dircolors of Debian 12 has them, and what ls takes where LS_COLORS is not set.
KINDS = (
    "rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:do=01;35:bd=40;33;01:cd=40;33;01:or=40;31;01:mi=00:su=37;41:sg=30;43:"
    "ca=00:tw=30;42:ow=34;42:st=37;44:ex=01;32"
)
PLAIN_KINDS = "di=01;34:ln=01;36:pi=33:so=01;35:bd=01;33:cd=01;33:su=37;41:sg=30;43:st=37;44:ow=34;42:tw=30;42:ex=01;32"
ENDINGS = {
    "01;31": ".tar .tgz .arc .arj .taz .lha .lz4 .lzh .lzma .tlz .txz .tzo .t7z .zip .z .dz .gz .lrz .lz .lzo .xz .zst .tzst .bz2 .bz "
    ".tbz .tbz2 .tz .deb .rpm .jar .war .ear .sar .rar .alz .ace .zoo .cpio .7z .rz .cab .wim .swm .dwm .esd",
    "01;35": ".avif .jpg .jpeg .mjpg .mjpeg .gif .bmp .pbm .pgm .ppm .tga .xbm .xpm .tif .tiff .png .svg .svgz .mng .pcx .mov .mpg "
    ".mpeg .m2v .mkv .webm .webp .ogm .mp4 .m4v .mp4v .vob .qt .nuv .wmv .asf .rm .rmvb .flc .avi .fli .flv .gl .dl .xcf .xwd .yuv "
    ".cgm .emf .ogv .ogx",
    "00;36": ".aac .au .flac .m4a .mid .midi .mka .mp3 .mpc .ogg .ra .wav .oga .opus .spx .xspf",
    "00;90": "~ # .bak .old .orig .part .rej .swp .tmp .dpkg-dist .dpkg-old .ucf-dist .ucf-new .ucf-old .rpmnew .rpmorig .rpmsave",
}
#: Kinds of terminals that have colours.
TERMINALS = (
    "Eterm ansi *color* con[0-9]*x[0-9]* cons25 console cygwin *direct* dtterm gnome hurd jfbterm konsole kterm linux linux-c mlterm "
    "putty rxvt* screen* st terminator tmux* vt100 xterm*"
).split()


def database() -> str:
    return KINDS + ":" + "".join(f"*{end}={colour}:" for colour, ends in ENDINGS.items() for end in ends.split())


def has_colours(p: Process) -> bool:
    return bool(p.env.get("COLORTERM")) or any(fnmatchcase(p.env.get("TERM", ""), kind) for kind in TERMINALS)


async def dircolors(p: Process) -> int:
    options = parse(p, "bcp", "sh:b bourne-shell:b csh:c c-shell:c print-database:p print-ls-colors")
    text = database() if has_colours(p) else ""
    if "c" in options or not options.any("b") and p.env.get("SHELL", "").endswith("csh"):
        p.out(f"setenv LS_COLORS '{text}'\n")
    else:
        p.out(f"LS_COLORS='{text}';\nexport LS_COLORS\n")
    return 0


class Colours:
    """Of one call of ls: a name in its colour, and the mark that the first of them is led in by."""

    def __init__(self, p: Process) -> None:
        given = p.env.get("LS_COLORS")
        rows = [row.partition("=") for row in (PLAIN_KINDS if given is None else given).split(":") if "=" in row]
        self.kinds = {name: value for name, _, value in rows if not name.startswith("*")}
        self.ends = [(name[1:], value) for name, _, value in rows if name.startswith("*")]
        self.begun = False

    def of(self, name: str, stat: Stat, dangling: Callable[[], bool]) -> str:
        mode = stat.mode
        if modes.S_ISDIR(mode):
            shared, sticky = bool(mode & 0o002), bool(mode & 0o1000)
            kind = "tw" if shared and sticky else "ow" if shared else "st" if sticky else "di"
        elif modes.S_ISLNK(mode):
            kind = "or" if "or" in self.kinds and dangling() else "ln"
        elif not modes.S_ISREG(mode):
            kind = "cd" if modes.S_ISCHR(mode) else "bd" if modes.S_ISBLK(mode) else "pi" if modes.S_ISFIFO(mode) else "so"
        elif mode & 0o4000 or mode & 0o2000:
            kind = "su" if mode & 0o4000 else "sg"
        elif mode & 0o111:
            kind = "ex"
        else:
            return next((value for end, value in reversed(self.ends) if name.lower().endswith(end.lower())), "")
        found = self.kinds.get(kind, "")
        return "" if found.strip("0") == "" else found

    def painted(self, text: str, colour: str) -> str:
        if not colour:
            return text
        lead = "" if self.begun else "\033[0m"
        self.begun = True
        return f"{lead}\033[{colour}m{text}\033[0m"


COMMANDS = {"dircolors": dircolors}
