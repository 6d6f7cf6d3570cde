"""Files that somebody tried to leave on a web server. None is stored by the server; the agent fetches them as captures."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from marshlight_common.control_files import replace
from marshlight_services import places

if TYPE_CHECKING:
    from marshlight_services.http_request import Request
    from marshlight_services.session import Session

# As many files may wait to be fetched.
MOST_KEPT = 64
TEXTS = ("application/x-www-form-urlencoded", "application/json")


def worth_keeping(request: Request) -> bool:
    """What is put or posted as a file; forms and calls stand in the request's own event."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return bool(request.body) and (request.method == "PUT" or request.method == "POST" and kind not in ("", *TEXTS))


def keep(session: Session, request: Request) -> None:
    digest = hashlib.sha256(request.body).hexdigest()
    if sum(1 for _ in os.scandir(places.FILES)) < MOST_KEPT:
        replace(places.FILES / digest, request.body)
    session.tell("file.upload", shasum=digest, size=len(request.body), url=request.path)
