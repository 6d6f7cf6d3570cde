"""
What the persona's schedule has left behind at a moment: pure, from the persona and the time alone.

    happenings (events by day) -> lines, records -> logs -> files (of the tree)
                               -> present: who is logged in, what runs
"""

from .files import traces
from .happenings import Event, Session, booted_at, events, pid_at, sessions, starts
from .present import logins, processes

__all__ = ["Event", "Session", "booted_at", "events", "logins", "pid_at", "processes", "sessions", "starts", "traces"]
