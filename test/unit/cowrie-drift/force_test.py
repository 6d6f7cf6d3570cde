"""What is in force, what a source meets of it, and how requests keep their order."""

from __future__ import annotations

import json
import math
import os
import tempfile
import unittest
from datetime import datetime
from pathlib import Path

from marshlight_common.drift import MOST_DELAY_MS
from marshlight_cowrie.drift.in_force import MOST_SOURCES, InForce
from marshlight_cowrie.drift.requests import Requests


def drift(*effects, seed="s"):
    return {"seed": seed, "effects": list(effects)}


def latency(form, ms, spread=0):
    return {"type": "latency", "form": form, "ms": ms, "spread": spread}


def error(kind, share):
    return {"type": "error", "kind": kind, "share": share}


def wilson(hits, n, z=2.5758):
    """99 %"""
    part, scale = hits / n, 1 + z * z / n
    middle, half = part + z * z / (2 * n), z * math.sqrt(part * (1 - part) / n + z * z / (4 * n * n))
    return (middle - half) / scale, (middle + half) / scale


class WithFile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "drift.json"
        self.at, self.others = datetime(2026, 3, 1, 12), 0
        self.force = InForce(self.path, lambda: self.at, lambda: self.others)

    def put(self, everyone=None, views=(), raw=None):
        text = json.dumps({"everyone": everyone, "views": list(views)}) if raw is None else raw
        self.path.with_suffix(".new").write_text(text)
        os.replace(self.path.with_suffix(".new"), self.path)
        self.assertTrue(self.force.look())


class ForceTest(WithFile):
    def test_no_file_is_no_drift(self):
        self.assertTrue(self.force.look())
        self.assertFalse(self.force.look())
        self.assertEqual((self.force.mark, self.force.error), ("none", None))
        self.assertIsNone(self.force.meeting("198.18.0.9").answer())
        self.assertIsNone(self.force.meeting("198.18.0.9").connection())

    def test_a_file_that_cannot_be_used_leaves_what_is_in_force(self):
        self.put(drift(latency("fixed", 40)))
        mark = self.force.mark
        for raw in ("{", "[]", json.dumps({"everyone": drift(latency("fixed", MOST_DELAY_MS + 1))})):
            self.put(raw=raw)
            self.assertIn("drift.json", self.force.error or "")
            self.assertEqual(self.force.mark, mark)
            self.assertEqual(self.force.meeting("a").answer().ms, 40)
        self.put()
        self.assertEqual((self.force.mark, self.force.error), ("none", None))

    def test_an_open_meeting_feels_a_change_with_its_next_answer(self):
        self.put(drift(latency("fixed", 40)))
        meeting = self.force.meeting("198.18.0.9")
        self.assertEqual(meeting.answer().ms, 40)
        self.put(drift(latency("fixed", 70)), [{"source": "198.18.0.9", "drift": drift(latency("fixed", 5))}])
        self.assertEqual(meeting.answer().ms, 5)
        self.assertEqual(self.force.meeting("198.18.0.8").answer().ms, 70)
        self.put(drift(latency("fixed", 70)), [{"source": "198.18.0.9", "drift": None}])
        self.assertIsNone(meeting.answer())

    def test_the_same_seed_source_and_order_give_the_same(self):
        def met(source, seed):
            self.put(drift(latency("jitter", 40, 0.5), error("reset", 0.1), error("busy", 0.2), seed=seed))
            meeting = self.force.meeting(source)
            answers = [meeting.answer() for _ in range(40)]
            self.put()
            return [(answer.ms, answer.failure) for answer in answers]

        self.assertEqual(met("a", "s"), met("a", "s"))
        self.assertNotEqual(met("a", "s"), met("b", "s"))
        self.assertNotEqual(met("a", "s"), met("a", "t"))

    def test_waits_are_bounded_and_go_by_the_sessions_that_are_open(self):
        self.put(drift(latency("load", 100), latency("fixed", 20)))
        meeting = self.force.meeting("a")
        self.assertEqual(meeting.answer().ms, 20)
        self.others = 3
        self.assertEqual(meeting.answer().ms, 320)
        self.others = 1000
        self.assertEqual(meeting.answer().ms, MOST_DELAY_MS)

    def test_shares_of_answers_and_connections(self):
        self.put(drift(error("reset", 0.04), error("refused", 0.12), error("timeout", 0.05)))
        meeting = self.force.meeting("198.18.0.9")
        answers = [meeting.answer() for _ in range(4000)]
        connections = [meeting.connection() for _ in range(4000)]
        for found, share in (
            (sum(answer.failure == "reset" for answer in answers), 0.04),
            (sum(answer.failure == "timeout" for answer in answers), 0.05),
            (connections.count("refused"), 0.12),
        ):
            low, high = wilson(found, 4000)
            self.assertTrue(low <= share <= high, f"{share}: {low} to {high}")
        self.assertEqual({answer.ms for answer in answers}, {0, MOST_DELAY_MS})
        self.assertEqual({answer.failure for answer in answers}, {None, "reset", "timeout"})
        self.assertEqual(set(connections), {None, "refused", "timeout"})

    def test_a_further_session_is_refused_as_often_and_nothing_else_of_an_open_connection(self):
        self.put(drift(error("refused", 0.12)))
        meeting = self.force.meeting("198.18.0.9")
        refused = sum(meeting.further_is_refused() for _ in range(4000))
        low, high = wilson(refused, 4000)
        self.assertTrue(low <= 0.12 <= high, f"{low} to {high}")
        self.assertEqual({(row["what"], row["count"]) for row in meeting.felt.take("m")}, {("refused", refused)})
        self.assertEqual({meeting.answer().failure for _ in range(400)}, {None})
        self.put(drift(error("busy", 0.3)))
        self.assertFalse(any(meeting.further_is_refused() for _ in range(400)))

    def test_hours_without_an_answer(self):
        self.put(drift({"type": "schedule", "hours": [3, 4]}))
        meeting = self.force.meeting("a")
        self.assertIsNone(meeting.connection())
        self.at = datetime(2026, 3, 1, 4, 59)
        self.assertEqual(meeting.connection(), "away")
        self.assertTrue(self.force.is_away("a"))

    def test_what_was_felt_is_told_in_sums(self):
        self.put(drift(latency("fixed", 40), error("timeout", 0.3)))
        meeting = self.force.meeting("a")
        answers = [meeting.answer() for _ in range(100)]
        late = sum(answer.failure == "timeout" for answer in answers)
        told = {(row["type"], row["what"]): (row["count"], row["ms"]) for row in meeting.felt.take("m")}
        expected = {("error", "timeout"): (late, late * MOST_DELAY_MS), ("latency", "fixed"): (100 - late, (100 - late) * 40)}
        self.assertEqual(told, expected)
        self.assertEqual(meeting.felt.take("m"), [])

    def test_sources_are_bounded(self):
        self.put(drift(error("busy", 0.1)))
        for number in range(MOST_SOURCES + 10):
            self.force.meeting(f"source {number}").answer()
        self.assertEqual(len(self.force.courses), MOST_SOURCES)


class Clock:
    """Of the reactor: what is due is called when the time has come."""

    def __init__(self):
        self.now, self.calls = 0.0, []

    def later(self, seconds, call):
        self.calls.append((self.now + seconds, call))

    def advance(self, until):
        while due := sorted((call for call in self.calls if call[0] <= until), key=lambda call: call[0]):
            self.calls.remove(due[0])
            self.now = max(self.now, due[0][0])
            due[0][1]()
        self.now = until


class RequestsTest(WithFile):
    def served(self, everyone, packets):
        self.put(everyone)
        clock, told = Clock(), []
        meeting = self.force.meeting("a")
        requests = Requests(meeting.answer, lambda packet, answer: told.append((packet, clock.now)), clock.later, lambda: clock.now)
        for packet in packets:
            requests.take(packet)
        return clock, told, requests

    def test_order_stays_and_waits_run_side_by_side(self):
        packets = [b"%d" % number for number in range(50)]
        clock, told, requests = self.served(drift(latency("jitter", 100, 1)), packets)
        ended = []
        requests.then(lambda: ended.append(clock.now))
        self.assertEqual((told, ended), ([], []))
        clock.advance(60)
        self.assertEqual([packet for packet, _ in told], packets)
        times = [at for _, at in told]
        self.assertEqual(times, sorted(times))
        self.assertLessEqual(times[-1], MOST_DELAY_MS / 1000 + 0.001)
        self.assertGreaterEqual(ended[0], times[-1])

    def test_without_a_wait_it_is_served_at_once(self):
        _, told, _ = self.served(None, [b"1", b"2"])
        self.assertEqual(told, [(b"1", 0.0), (b"2", 0.0)])
        clock, told, requests = self.served(drift(latency("fixed", 100)), [b"1"])
        requests.end()
        clock.calls.clear()
        requests.take(b"2")
        self.assertEqual(told, [])


if __name__ == "__main__":
    unittest.main()
