"""`printf`: formats again and again until no operand is left, as POSIX has it. Also for /usr/bin/printf."""

from __future__ import annotations

import re
import time

from .quoting import backslash_quoted

DIRECTIVE = re.compile(r"%(?:(%)|([-+ #0']*)(\*|\d+)?(?:\.(\*|-?\d*))?([hlLjzt]*)(?:\(([^)]*)\))?([a-zA-Z])?)", re.S)
ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|[0-7]{1,3}|.)", re.S)
#: Signs that one call may give.
MOST = 1 << 20


class FormatFailure(Exception):
    """A format that cannot be read; `text` is what was written before it."""

    def __init__(self, wording: str, text: str) -> None:
        super().__init__(wording)
        self.text = text


class Stop(Exception):
    pass


class Formatter:
    def __init__(self, form: str, operands: list[str], now: float, *, dash: bool, strict: bool = False) -> None:
        self.form, self.operands, self.now, self.dash = form, list(operands), now, dash
        #: Whether a number that was not given is one that is wrong.
        self.strict = strict
        self.made: list[str] = []
        self.size = 0
        self.problems: list[str] = []
        self.used = False

    def run(self) -> None:
        while True:
            self.used = False
            try:
                self.once()
            except Stop:
                return
            if not self.operands or not self.used or self.size > MOST:
                return

    def add(self, text: str) -> None:
        self.made.append(text)
        self.size += len(text)

    def once(self) -> None:
        at = 0
        form = self.form
        while at < len(form):
            char = form[at]
            if char == "\\":
                found = ESCAPE.match(form, at)
                self.add(escape(found.group(1)) if found else "\\")
                at = found.end() if found else at + 1
            elif char == "%":
                found = DIRECTIVE.match(form, at)
                assert found
                at = found.end()
                self.directive(found)
            else:
                end = re.compile(r"[\\%]").search(form, at)
                stop = end.start() if end else len(form)
                self.add(form[at:stop])
                at = stop

    def next(self) -> str | None:
        self.used = True
        return self.operands.pop(0) if self.operands else None

    def directive(self, found: re.Match[str]) -> None:
        percent, flags, width, precision, _, moment, kind = found.groups()
        if percent:
            self.add("%")
            return
        if kind is None:
            after = self.form[found.end() : found.end() + 1]
            wording = f"`{after}': invalid format character" if after else f"`{self.form[found.start()]}': missing format character"
            raise FormatFailure(wording, "".join(self.made))
        if width == "*":
            given = self.integer(self.next())
            flags += "-" if given < 0 else ""
            width = str(abs(given))
        if precision == "*":
            precision = str(self.integer(self.next()))
        if precision is not None and precision.startswith("-"):
            precision = None
        size = min(int(width), MOST) if width else 0
        places = None if precision is None else min(int(precision or 0), MOST)
        if kind == "T" and moment is not None:
            text = self.moment(moment, self.next())
        elif kind == "s":
            text = (self.next() or "")[:places]
        elif kind == "b":
            from .builtins_output import unescaped

            text, stopped = unescaped(re.sub(r"\\([1-7][0-7]{0,2})", r"\\0\1", self.next() or ""))
            text = text[:places]
            if stopped:
                self.add(text)
                raise Stop
        elif kind == "q" and not self.dash:
            text = backslash_quoted(self.next() or "")[:places]
        elif kind == "c":
            text = (self.next() or "")[:1]
        elif kind in "diouxX":
            self.add(self.whole(kind, flags, size, places))
            return
        elif kind in "eEfFgGaA":
            self.add(self.real(kind, flags, size, places))
            return
        else:
            after = self.form[found.end() : found.end() + 1]
            shown = after if found.group(5) and after else kind
            raise FormatFailure(f"`{shown}': invalid format character" if not self.dash else f"%{kind}: invalid directive", "".join(self.made))
        self.add(text.ljust(size) if "-" in flags else text.rjust(size))

    def integer(self, text: str | None) -> int:
        if text is None or text == "":
            if self.strict:
                self.problems.append(": invalid number")
            return 0
        if text[0] in "'\"":
            return ord(text[1]) if len(text) > 1 else 0
        found = re.match(r"\s*([+-]?)(0[xX][0-9A-Fa-f]+|0[0-7]*|[1-9]\d*)", text)
        if not found:
            self.problems.append(f"{text}: invalid number" if not self.dash else f"{text}: expected numeric value")
            return 0
        sign, digits = found.groups()
        if found.end() != len(text):
            self.problems.append(f"{text}: invalid number" if not self.dash else f"{text}: not completely converted")
        value = int(digits, 16) if digits[:2].lower() == "0x" else int(digits, 8) if digits.startswith("0") and len(digits) > 1 else int(digits)
        value = -value if sign == "-" else value
        if not -(1 << 63) <= value < 1 << 64:
            self.problems.append(f"warning: {text}: Numerical result out of range")
        return max(-(1 << 63), min(value, (1 << 64) - 1))

    def whole(self, kind: str, flags: str, size: int, places: int | None) -> str:
        value = self.integer(self.next())
        if kind in "di":
            value = min(value, (1 << 63) - 1)
            digits, sign = str(abs(value)), "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
        else:
            value &= (1 << 64) - 1
            digits = {"o": f"{value:o}", "u": str(value), "x": f"{value:x}", "X": f"{value:X}"}[kind]
            sign = "0" + kind if "#" in flags and kind in "xX" and value else "0" if "#" in flags and kind == "o" and value else ""
        if "'" in flags and kind in "diu":
            digits = f"{int(digits):d}"
        if places is not None:
            digits = "" if places == 0 and value == 0 else digits.rjust(places, "0")
        elif "0" in flags and "-" not in flags:
            digits = digits.rjust(size - len(sign), "0")
        text = sign + digits
        return text.ljust(size) if "-" in flags else text.rjust(size)

    def real(self, kind: str, flags: str, size: int, places: int | None) -> str:
        text = self.next() or "0"
        found = re.match(r"\s*[+-]?(?:inf(?:inity)?|nan|0[xX][0-9A-Fa-f]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)", text, re.I)
        if text[:1] in "'\"" and len(text) > 1:
            value = float(ord(text[1]))
        elif found is None:
            self.problems.append(f"{text}: invalid number" if not self.dash else f"{text}: expected numeric value")
            value = 0.0
        else:
            if found.end() != len(text):
                self.problems.append(f"{text}: invalid number" if not self.dash else f"{text}: not completely converted")
            value = float(int(found.group(), 16)) if "x" in found.group().lower() else float(found.group())
        letter = {"a": "g", "A": "G"}.get(kind, kind)
        simple = "".join(flag for flag in flags if flag in "-+ #0")
        made = ("%" + simple + (str(size) if size else "") + f".{min(6 if places is None else places, 500)}" + letter) % value
        return made

    def moment(self, form: str, operand: str | None) -> str:
        when = self.now if operand in (None, "", "-1", "-2") else float(self.integer(operand))
        return time.strftime(form or "%X", time.gmtime(when))


def escape(mark: str) -> str:
    from .builtins_output import ECHO_ESCAPES, byte_text

    if mark in ECHO_ESCAPES:
        return ECHO_ESCAPES[mark]
    if mark in ("'", '"', "?"):
        return mark
    if mark == "c":
        return "\\c"
    if mark[0] in "01234567":
        return byte_text(int(mark, 8))
    if mark[0] == "x" and len(mark) > 1:
        return byte_text(int(mark[1:], 16))
    if mark[0] in "uU" and len(mark) > 1:
        return chr(min(int(mark[1:], 16), 0x10FFFF))
    return "\\" + mark


def formatted(form: str, operands: list[str], now: float = 0.0, *, dash: bool = False, strict: bool = False) -> tuple[str, list[str]]:
    """The text and what is wrong with its operands; FormatFailure for the format itself."""
    formatter = Formatter(form, operands, now, dash=dash, strict=strict)
    formatter.run()
    text = "".join(formatter.made)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"), formatter.problems
