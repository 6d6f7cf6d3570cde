"""The terminal itself: clear reset tput stty mesg script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..streams import Stream
from .options import Usage, parse

if TYPE_CHECKING:
    from ..ports import Process, Writer

CODES = {
    **{"clear": "\033[H\033[2J\033[3J", "bold": "\033[1m", "smul": "\033[4m", "rmul": "\033[24m", "rev": "\033[7m", "smso": "\033[7m"},
    **{"rmso": "\033[27m", "sgr0": "\033(B\033[m", "cnorm": "\033[?12l\033[?25h", "civis": "\033[?25l", "home": "\033[H", "el": "\033[K"},
    **{"smcup": "\033[?1049h\033[22;0;0t", "rmcup": "\033[?1049l\033[23;0;0t", "dim": "\033[2m", "blink": "\033[5m", "bel": "\a", "ed": "\033[J"},
    **{"cuu1": "\033[A", "cr": "\r", "ind": "\n", "op": "\033[39;49m", "sc": "\0337", "rc": "\0338"},
}
STTY_ALL = (
    "speed 38400 baud; rows {rows}; columns {columns}; line = 0;\n"
    "intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>; eol2 = <undef>; swtch = <undef>; start = ^Q; stop = ^S;\n"
    "susp = ^Z; rprnt = ^R; werase = ^W; lnext = ^V; discard = ^O; min = 1; time = 0;\n"
    "-parenb -parodd -cmspar cs8 -hupcl -cstopb cread -clocal -crtscts\n"
    "-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr icrnl ixon -ixoff -iuclc -ixany -imaxbel iutf8\n"
    "opost -olcuc -ocrnl onlcr -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0\n"
    "isig icanon iexten {echo}echo echoe echok -echonl -noflsh -xcase -tostop -echoprt echoctl echoke -flusho -extproc\n"
)
NO_TERMINAL = "'standard input': Inappropriate ioctl for device\n"


def colours(term: str) -> int:
    return 256 if "256" in term or "direct" in term else -1 if term.startswith(("vt", "dumb")) else 8


async def clear(p: Process) -> int:
    if not p.env.get("TERM"):
        raise Usage("TERM environment variable not set.\n")
    if p.env["TERM"] in ("dumb", "unknown"):
        return 1
    p.out(CODES["clear"])
    return 0


async def tput(p: Process) -> int:
    options = parse(p, "T:SVx", "", permute=False, hint=False)
    if "V" in options:
        p.out("ncurses 6.4.20221231\n")
        return 0
    term = options.text("T") or p.env.get("TERM", "")
    words = options.operands
    if not words:
        raise Usage("usage: tput [-V] [-S] [-T term] capname\n", 2)
    if not term:
        raise Usage("tput: No value for $TERM and no -T specified\n", 2)
    on_terminal = p.stdout.is_tty or p.stdin.is_tty or p.stderr.is_tty
    size = p.size if on_terminal else (80, 24)
    name, numbers = words[0], [int(word) for word in words[1:] if word.isdigit()]
    if name in ("cols", "lines", "colors"):
        p.out(f"{size[0] if name == 'cols' else size[1] if name == 'lines' else colours(term)}\n")
    elif name in ("setaf", "setab") and numbers:
        if colours(term) < 0:
            return 1
        base, value = (3 if name == "setaf" else 4), numbers[0]
        high = f"{base}8;5;{value}" if value > 15 else f"{base + 6}{value - 8}"
        p.out(f"\033[{base}{value}m" if value < 8 or colours(term) == 8 else f"\033[{high}m")
    elif name == "cup" and len(numbers) == 2:
        p.out(f"\033[{numbers[0] + 1};{numbers[1] + 1}H")
    elif name in ("cuu", "cud", "cuf", "cub") and numbers:
        p.out(f"\033[{numbers[0]}{'ABCD'['udfb'.index(name[2])]}")
    elif name in ("init", "reset"):
        p.out("\033c\033[!p\033[?3;4l\033[4l\033>" if name == "reset" else "\033[!p\033[?3;4l\033[4l\033>")
    elif name in CODES and term != "dumb":
        p.out(CODES[name])
    elif name in CODES:
        return 1
    else:
        raise Usage(f"tput: unknown terminfo capability '{name}'\n", 4)
    return 0


async def stty(p: Process) -> int:
    words = p.args[1:]
    if not p.stdin.is_tty:
        raise Usage(f"{p.args[0]}: {NO_TERMINAL}")
    if words == ["size"]:
        p.out(f"{p.size[1]} {p.size[0]}\n")
    elif not words:
        p.out("speed 38400 baud; line = 0;\n-brkint -imaxbel iutf8\n")
    elif words[0] in ("-a", "--all"):
        p.out(STTY_ALL.format(rows=p.size[1], columns=p.size[0], echo=""))
    elif words[0] in ("-g", "--save"):
        p.out("4500:5:bf:8a3b:3:1c:7f:15:4:0:1:0:11:13:1a:0:12:f:17:16:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0\n")
    else:
        hide = getattr(p.stdin, "hide", lambda hidden: None)
        for word in words:
            if word in ("echo", "-echo", "sane"):
                hide(word == "-echo")
    return 0


async def mesg(p: Process) -> int:
    if not (p.stdin.is_tty or p.stdout.is_tty or p.stderr.is_tty):
        if p.args[1:]:
            return 2
        raise Usage("", 2)
    if not p.args[1:]:
        p.out("is y\n")
    return 0 if p.args[1:2] != ["n"] else 1


async def reset(p: Process) -> int:
    if not p.stdin.is_tty:
        raise Usage(f"{p.args[0]}: terminal attributes: No such device or address\n\n", 10)
    p.out("\033c\033[!p\033[?3;4l\033[4l\033>\r")
    return 0


class Returning(Stream):
    """What goes through a terminal of script's own: each line end is two bytes."""

    writable = True

    def __init__(self, to: Writer) -> None:
        self.to = to

    def write(self, data: bytes) -> None:
        self.to.write(data.replace(b"\n", b"\r\n"))


async def script(p: Process) -> int:
    """What is run under a recorder; the record is a file of its first and last line."""
    options = parse(p, "ac:efqtT:o:O:I:B:m:E:", "append:a command=:c return:e flush:f quiet:q force output-limit=:o", hint=False)
    name = (options.operands or ["typescript"])[0]
    path = p.path(name)
    if path != "/dev/null":
        p.fs.write(path, b"", mode=0o666 & ~p.umask)
    if "q" not in options:
        p.out(f"Script started, output log file is '{name}'.\n")
    shell = p.env.get("SHELL") or "/bin/sh"
    words = [shell, "-c", options.text("c")] if "c" in options else [shell, "-i"]
    out = p.stdout if p.stdout.is_tty else Returning(p.stdout)
    status = await p.spawn(words, stdout=out, stderr=out, env={**p.env, "SHELL": shell})
    if "q" not in options:
        p.out("Script done.\n")
    return status if "e" in options else 0


COMMANDS = {"clear": clear, "tput": tput, "stty": stty, "mesg": mesg, "reset": reset, "tset": reset, "script": script}
