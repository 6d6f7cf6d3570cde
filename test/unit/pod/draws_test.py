"""What is drawn from a drift in force: in order, by seed and source, in the shares and waits that were asked for."""

import json
import statistics
import sys
import unittest
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "images" / "common"))
from marshlight_common import drift
from marshlight_common.control_files import Refused


def latency(form, ms, spread=0):
    return {"type": "latency", "form": form, "ms": ms, "spread": spread}


def error(kind, share):
    return {"type": "error", "kind": kind, "share": share}


def effects(*said):
    return drift.deviation({"seed": "s", "effects": list(said)}).effects


def in_force(everyone, views=()):
    return drift.read(json.dumps({"everyone": everyone, "views": list(views)}).encode())


class DrawsTest(unittest.TestCase):
    def test_the_same_seed_and_source_give_the_same_whatever_is_asked_between(self):
        some = effects(latency("jitter", 40, 0.5), error("reset", 0.2), error("busy", 0.1))
        one, other = drift.Draws("s", "198.18.0.9"), drift.Draws("s", "198.18.0.9")
        waits = [one.wait_ms(some) for _ in range(50)]
        failures = [one.fails(some) for _ in range(200)]
        self.assertEqual(failures, [other.fails(some) for _ in range(200)])
        self.assertEqual(waits, [other.wait_ms(some) for _ in range(50)])
        self.assertNotEqual(waits, [drift.Draws("s", "198.18.0.8").wait_ms(some) for _ in range(50)])
        self.assertNotEqual(waits, [drift.Draws("t", "198.18.0.9").wait_ms(some) for _ in range(50)])

    def test_waits_add_up_and_are_bounded(self):
        draws = drift.Draws("s", "a")
        self.assertEqual(draws.wait_ms(effects(latency("fixed", 30), latency("load", 5)), 4), 50)
        self.assertEqual(draws.wait_ms(effects(latency("load", 100)), 1000), drift.MOST_DELAY_MS)
        self.assertEqual(draws.wait_ms(effects(error("busy", 0.3))), 0)

    def test_jitter_has_its_median_and_spread(self):
        draws, some = drift.Draws("s", "a"), effects(latency("jitter", 40, 0.5))
        waits = sorted(draws.wait_ms(some) for _ in range(20_000))
        self.assertAlmostEqual(waits[10_000], 40, delta=0.6)
        quartiles = statistics.quantiles(waits, n=4)
        # Quartiles of a log-normal: median times e to the power of 0.6745 deviations, up and down.
        self.assertAlmostEqual(quartiles[2] / quartiles[0], 1.963, delta=0.05)

    def test_shares_of_failures_and_their_bound(self):
        draws, some = drift.Draws("s", "a"), effects(error("reset", 0.1), error("timeout", 0.05))
        drawn = [draws.fails(some) for _ in range(20_000)]
        self.assertAlmostEqual(drawn.count("reset") / 20_000, 0.1, delta=0.008)
        self.assertAlmostEqual(drawn.count("timeout") / 20_000, 0.05, delta=0.006)
        altering = effects(*({"type": "alteration", "what": "fields", "share": 0.3},) * 3)
        altered = [draws.alters(altering) for _ in range(20_000)]
        self.assertAlmostEqual(altered.count("fields") / 20_000, drift.MOST_SHARE, delta=0.012)

    def test_hours_and_views(self):
        night = {"seed": "n", "effects": [{"type": "schedule", "hours": [2, 3]}]}
        found = in_force(None, [{"source": "198.18.0.9", "drift": night}, {"source": "198.18.0.8", "drift": None}])
        self.assertIsNone(found.of("198.18.0.7"))
        self.assertIsNone(found.of("198.18.0.8"))
        met = found.of("198.18.0.9").effects
        self.assertTrue(drift.in_hours(met, datetime(2026, 1, 1, 3, 59)))
        self.assertFalse(drift.in_hours(met, datetime(2026, 1, 1, 4, 0)))
        self.assertEqual(in_force(None).mark, "none")

    def test_what_cannot_be_used_is_refused(self):
        for raw in (b"", b"[]", b"{", b'{"everyone":{"seed":"","effects":[]}}', b'{"views":[1]}', b"[" * 100_000):
            with self.assertRaises(Refused):
                drift.read(raw)
        for wrong in (latency("slow", 1), latency("fixed", 3001), error("reset", 0.31), {"type": "schedule", "hours": [24]}, {}):
            with self.assertRaises(Refused):
                in_force({"seed": "s", "effects": [wrong]})


if __name__ == "__main__":
    unittest.main()
