"""The telnet greeting and prompts of the persona."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .signatures import expect, expect_attribute

if TYPE_CHECKING:
    from .decoy import Decoy


def install(decoy: Decoy) -> None:
    from cowrie.telnet.userauth import HoneyPotTelnetAuthProtocol as Login

    expect(Login.connectionMade, "(self)")
    expect_attribute(Login, "loginPrompt", "passwordPrompt")
    made = Login.connectionMade

    def connection_made(self: Any) -> None:
        telnet = decoy.persona.telnet
        if telnet:
            self.factory.banner = telnet.banner.encode("utf-8", "replace")
            self.loginPrompt = telnet.login_prompt.encode("utf-8", "replace")
            self.passwordPrompt = telnet.password_prompt.encode("utf-8", "replace")
        made(self)

    Login.connectionMade = connection_made
