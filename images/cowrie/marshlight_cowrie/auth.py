"""Who gets in: the persona's users with the persona's passwords, from the try on that the persona says."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from typing import TYPE_CHECKING

from .signatures import expect

if TYPE_CHECKING:
    from .decoy import Decoy

MOST_KNOWN = 4096


def install(decoy: Decoy) -> None:
    from cowrie.core import auth

    expect(auth.UserDB.checklogin, "(self, thelogin, thepasswd, src_ip)")
    tries = Tries()

    class PersonaUsers:
        def checklogin(self, thelogin: bytes, thepasswd: bytes, src_ip: str = "") -> bool:
            tried = tries.count(src_ip, thelogin)
            return opens(decoy, thelogin, thepasswd, tried)

    auth.PersonaUsers = PersonaUsers


class Tries:
    """How often a source has tried an account, for the last MOST_KNOWN pairs."""

    def __init__(self) -> None:
        self.known: OrderedDict[tuple[str, bytes], int] = OrderedDict()

    def count(self, source: str, name: bytes) -> int:
        """This try included."""
        pair = (source, name[:64])
        self.known[pair] = self.known.pop(pair, 0) + 1
        if len(self.known) > MOST_KNOWN:
            self.known.popitem(last=False)
        return self.known[pair]


def opens(decoy: Decoy, name: bytes, password: bytes, tried: int = 1) -> bool:
    for user in decoy.persona.users:
        if user.name.encode() == name:
            right = any(hmac.compare_digest(known.encode(), password) for known in user.passwords)
            return right and tried >= user.accept_from_try
    return False
