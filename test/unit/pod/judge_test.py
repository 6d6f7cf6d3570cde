"""What becomes of packets under drift: pure, with packets made here and a clock that stands still."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

images = Path(__file__).parents[3] / "images"
sys.path[:0] = [str(images / "common"), str(images / "pod")]
from judged_packets import ANSWER, CLIENT, altering, datagram, error, judging, latency, segment, whole
from marshlight_common import drift
from marshlight_drift import felt, judge, packet, rules


class Datagrams(unittest.TestCase):
    def test_one_that_asks_is_refused_or_lost_and_its_answer_waits_and_no_more(self):
        for kind, do in (("refused", judge.REFUSE), ("timeout", judge.DROP), ("reset", judge.PASS)):
            one = judging(latency(40), error(kind))
            met = [one.arriving(datagram(False), 1.0).do for _ in range(400)]
            self.assertEqual(set(met), {judge.PASS, do})
            self.assertTrue(do == judge.PASS or 80 < met.count(do) < 160, met.count(do))
            left = [one.leaving(datagram(True, port=41_000 + number), 1.0) for number in range(100)]
            self.assertEqual({(verdict.do, round(verdict.at, 3)) for verdict in left}, {(judge.PASS, 1.04)})
        one = judging(error("busy"))
        self.assertEqual({one.arriving(datagram(False), 1.0).do for _ in range(50)}, {judge.PASS})
        late = [one.leaving(datagram(True, port=41_000 + number), 1.0).at for number in range(200)]
        self.assertEqual(set(late), {0.0, 4.0})
        away = judging({"type": "schedule", "hours": [12]})
        self.assertEqual(away.arriving(datagram(False), 1.0).do, judge.REFUSE)
        text = rules.text([80], [161], True, True, "queue")
        self.assertIn("udp dport { 161 } jump", text)


class Waits(unittest.TestCase):
    def test_the_first_content_of_an_answer_waits_and_the_rest_does_not_overtake_it(self):
        one = judging(latency(50))
        self.assertEqual(one.leaving(segment(100, 10, b"a" * 20), 5.0).at, 5.05)
        self.assertEqual(one.leaving(segment(120, 10, b"b" * 20), 5.01).at, 5.05)
        self.assertEqual(one.leaving(segment(140, 10, flags=packet.ACK | packet.FIN), 5.02).at, 5.05)
        # Its time has passed, and no request came: more of the same answer.
        self.assertEqual(one.leaving(segment(140, 10, b"c"), 6.0).at, 0)
        self.assertEqual(one.leaving(segment(141, 30, b"d"), 7.0).at, 7.05)

    def test_what_is_sent_again_draws_nothing_and_other_connections_wait_for_themselves(self):
        one = judging(latency(50), latency(10, "load"))
        self.assertAlmostEqual(one.leaving(segment(packet.WHOLE - 5, 10, b"a" * 10), 1.0).at, 1.07)
        self.assertEqual(one.leaving(segment(packet.WHOLE - 5, 40, b"a" * 10), 2.0).at, 0)
        self.assertAlmostEqual(one.leaving(segment(5, 40, b"b"), 3.0).at, 3.07)
        self.assertAlmostEqual(one.leaving(segment(5, 40, b"b", port=40_001), 4.0).at, 4.07)

    def test_another_drift_holds_nothing_of_the_one_before(self):
        one = judging(latency(500))
        one.leaving(segment(100, 10, b"a"), 1.0)
        one.now(drift.InForce())
        self.assertEqual(one.leaving(segment(101, 10, b"b"), 1.1), judge.Verdict())

    def test_a_view_is_met_by_its_source_alone(self):
        one = judging(latency(50), views=[{"source": CLIENT, "drift": None}])
        self.assertEqual(one.leaving(segment(1, 1, b"a"), 1.0).at, 0)
        self.assertEqual(one.leaving(segment(1, 1, b"a", source="198.18.0.8"), 1.0).at, 1.05)


class Failures(unittest.TestCase):
    def opened(self, one, port, seq=1):
        return one.arriving(segment(seq, 0, flags=packet.SYN, port=port, leaving=False), 1.0).do

    def test_a_connection_is_refused_or_silent_for_its_life(self):
        one = judging(error("refused", 0.1), error("timeout", 0.1))
        first = [self.opened(one, port) for port in range(1000, 3000)]
        self.assertEqual(first, [self.opened(one, port) for port in range(1000, 3000)], "sent again")
        for kind in (judge.REFUSE, judge.DROP):
            self.assertAlmostEqual(first.count(kind) / 2000, 0.1, delta=0.02)

    def test_a_request_is_answered_by_a_reset_and_the_service_is_told(self):
        one, given = judging(error("reset")), {}
        for port in range(1000, 2000):
            given[port] = one.leaving(segment(77, 10, ANSWER, port=port), 1.0)
        cut = [port for port, verdict in given.items() if verdict.do == judge.CHANGE]
        self.assertAlmostEqual(len(cut) / 1000, 0.3, delta=0.05)
        reset = packet.parsed(given[cut[0]].content, True)
        self.assertEqual((reset.flags, reset.seq, reset.ack, reset.length), (packet.RST | packet.ACK, 77, 10, 0))
        self.assertTrue(whole(reset.raw))
        self.assertEqual(one.leaving(segment(77, 10, ANSWER, port=cut[0]), 1.3).do, judge.REFUSE)
        self.assertEqual(self.opened(one, cut[0], 9), judge.PASS)
        self.assertNotEqual(one.leaving(segment(77, 10, ANSWER, port=cut[0]), 1.4).do, judge.REFUSE, "a new connection")

    def test_busy_is_a_long_wait_that_ends(self):
        one = judging(error("busy"))
        waits = {one.leaving(segment(1, 1, b"a", port=port), 1.0).at for port in range(1000, 1100)}
        self.assertEqual(waits, {0, 4.0})

    def test_where_the_service_says_that_it_is_busy_nothing_waits_or_is_told(self):
        one = judging(error("busy"))
        said = {"everyone": {"seed": "s", "effects": [error("busy")]}, "saysBusy": [21, 80]}
        one.now(drift.read(json.dumps(said).encode()))
        self.assertEqual({one.leaving(segment(1, 1, b"a", port=port), 1.0).at for port in range(1000, 1100)}, {0})
        self.assertEqual(one.felt.take(), [])
        with self.assertRaises(drift.Refused):
            drift.read(json.dumps({**said, "saysBusy": [70_000]}).encode())

    def test_in_hours_of_maintenance_nobody_is_answered(self):
        one = judging({"type": "schedule", "hours": [12]})
        self.assertEqual(self.opened(one, 1000), judge.REFUSE)
        self.assertEqual(one.leaving(segment(1, 1, b"a"), 1.0).do, judge.CHANGE)
        self.assertEqual(self.opened(judging({"type": "schedule", "hours": [12]}, hour=13), 1000), judge.PASS)


class Told(unittest.TestCase):
    def rows(self, one):
        return {(row["type"], row["what"]): (row["count"], row["ms"]) for row in one.felt.take()}

    def test_a_source_is_told_for_what_it_felt_and_for_nothing_else(self):
        one = judging(latency(50), error("refused", 0.1), error("reset", 0.1), altering("fields"))
        opened = [one.arriving(segment(1, 0, flags=packet.SYN, port=port, leaving=False), 1.0).do for port in range(1000, 1400)]
        given = [one.leaving(segment(77, 10, ANSWER, port=port), 1.0) for port in range(1000, 1400)]
        for port in range(1000, 1400):
            # Sent again, it is no second one.
            one.leaving(segment(77, 10, ANSWER, port=port), 1.1)
            one.arriving(segment(1, 0, flags=packet.SYN, port=port, leaving=False), 1.1)
        resets = sum(verdict.do == judge.CHANGE and len(verdict.content) < 100 for verdict in given)
        altered = sum(verdict.do == judge.CHANGE for verdict in given) - resets
        self.assertGreater(min(resets, altered, opened.count(judge.REFUSE)), 10)
        self.assertEqual(
            self.rows(one),
            {
                ("latency", "fixed"): (400, 400 * 50.0),
                ("error", "refused"): (opened.count(judge.REFUSE), 0.0),
                ("error", "reset"): (resets, 0.0),
                ("alteration", "fields"): (altered, 0.0),
            },
        )
        self.assertEqual(one.felt.take(), [], "told once")
        one.leaving(segment(1, 1, b"a", port=50_000), 1.0)
        self.assertEqual([(row["source"], row["port"]) for row in one.felt.take()], [(CLIENT, 50_000)])

    def test_waits_of_nothing_are_not_felt_and_busy_is_an_error(self):
        alone = judging(latency(40, "load"))
        alone.others = lambda: 0
        alone.leaving(segment(1, 1, b"a"), 1.0)
        self.assertEqual(self.rows(alone), {})
        one = judging(error("busy"))
        late = [one.leaving(segment(1, 1, b"a", port=port), 1.0).at for port in range(1000, 1100)]
        late += [one.leaving(datagram(True, port=port), 1.0).at for port in range(2000, 2100)]
        self.assertEqual(self.rows(one), {("error", "busy"): (late.count(4.0), late.count(4.0) * 3000.0)})
        away = judging({"type": "schedule", "hours": [12]})
        away.arriving(datagram(False), 1.0)
        self.assertEqual(self.rows(away), {("schedule", "hours"): (1, 0.0)})

    def test_lines_are_bounded_and_what_was_not_told_is_handed_on(self):
        kept = felt.Felt()
        for number in range(2 * felt.MOST_SOURCES):
            kept.note(f"198.18.{number // 256}.{number % 256}", 40_000, "latency", "fixed", 5.0)
        first = kept.take()
        self.assertEqual(len(first), felt.MOST_ROWS)
        with tempfile.TemporaryDirectory() as folder:
            file, after = Path(folder, "left"), felt.Felt()
            kept.leave(file)
            after.take_over(file)
            self.assertFalse(file.exists())
            self.assertEqual(len(first) + len(after.take(1 << 30)), felt.MOST_SOURCES)
            after.take_over(file)
            file.write_text('[{"source": 1}]')
            after.take_over(file)
            self.assertEqual(after.take(), [])


class Rules(unittest.TestCase):
    def test_only_what_matters_is_led_to_the_queue(self):
        concerning = lambda *said: rules.concerning(drift.deviation({"seed": "s", "effects": list(said)}).effects)  # noqa: E731
        self.assertEqual(concerning(latency(5)), (False, True, False))
        self.assertEqual(concerning(error("refused")), (True, False, False))
        self.assertEqual(concerning(error("reset")), (False, True, True))
        self.assertEqual(concerning(altering("fields")), (False, True, True))
        self.assertEqual(concerning(error("disk"), altering("listing")), (False, False, False))
        self.assertNotRegex(rules.text([], [], True, True, ""), "[sd]port")


if __name__ == "__main__":
    unittest.main()
