"""What drift may alter in answers, and what it must leave as it is: pure, with packets made here."""

import gzip
import random
import struct
import sys
import unittest
from pathlib import Path

images = Path(__file__).parents[3] / "images"
sys.path[:0] = [str(images / "common"), str(images / "pod")]
from judged_packets import ANSWER, PAGE, altering, judging, segment, whole
from marshlight_drift import digits, judge, packet


class NoText(unittest.TestCase):
    """What is compressed, encrypted or binary arrives as it left, however it is cut, whoever speaks in between."""

    def altered(self, streams, seed, effects):
        """Of streams of one connection each, cut at random: how many packets were changed."""
        row, count = random.Random(seed), 0
        one = judging(*effects)
        for number, stream in enumerate(streams):
            seq, ack = 1000, 10
            while stream:
                size = row.choice((row.randint(1, 24), row.randint(1, 1400)))
                piece, stream = stream[:size], stream[size:]
                count += bool(one.leaving(segment(seq, ack, piece, port=40_000 + number), 1.0).content)
                seq += len(piece)
                # A client that asks ahead, or only says that it has got so far.
                ack += 30 * (row.random() < 0.3)
        return count

    def test_it_is_never_changed(self):
        row = random.Random("streams")
        lines = b"".join(b"row %06d of a table\n" % row.randrange(10**6) for _ in range(300))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n%sContent-Length: %d\r\n\r\n"
        packed = gzip.compress(lines, mtime=0)
        page = head % (b"Content-Encoding: gzip\r\n", len(packed)) + packed
        # An encoding that this program does not know, whose bytes look like text.
        other = head % (b"Content-Encoding: x-rows\r\n", len(lines)) + lines
        records = b"".join(b"\x17\x03\x03" + struct.pack("!H", size) + row.randbytes(size) for size in range(20, 900, 7))
        started = b"220 mail ready\r\n"
        plain = head % (b"", len(lines)) + lines
        for what in ("bytes", "fields", "contents", "version"):
            for name, stream in (("gzip", page), ("encoded", other), ("tls", records), ("starttls", started + records)):
                with self.subTest(what=what, name=name):
                    self.assertEqual(self.altered([stream] * 60, name, [altering(what)]), 0)
        for what in ("bytes", "fields", "contents"):
            self.assertGreater(self.altered([plain] * 60, "plain", [altering(what)]), 5, "while plain text is")


class Alterations(unittest.TestCase):
    def altered(self, what, answer=ANSWER):
        """Contents that left, over many connections; each is sent twice, and has to be the same."""
        one, contents = judging(altering(what)), []
        for port in range(1000, 1300):
            sent = segment(packet.WHOLE - 3, 10, answer, port=port)
            first, again = one.leaving(sent, 1.0), one.leaving(sent, 1.3)
            self.assertEqual(first, again)
            self.assertTrue(first.do == judge.PASS or whole(first.content))
            contents.append(first.content[52:] if first.do == judge.CHANGE else answer)
        return contents

    def test_digits_of_a_page_change_and_nothing_else_does(self):
        for what in ("fields", "contents", "bytes"):
            contents = self.altered(what)
            different = [one for one in contents if one != ANSWER]
            self.assertAlmostEqual(len(different) / 300, 0.3, delta=0.09)
            for one in different:
                changed = {at for at in range(len(ANSWER)) if one[at] != ANSWER[at]}
                self.assertTrue(changed <= set(range(ANSWER.index(b"12345"), ANSWER.index(b" files"))), one)
                self.assertTrue(all(chr(one[at]).isdigit() for at in changed))

    def test_a_version_is_one_of_its_head(self):
        different = [one for one in self.altered("version") if one != ANSWER]
        self.assertTrue(different)
        for one in different:
            self.assertRegex(one, rb"Server: nginx/\d\.\d\d\.\d\r\n")
            self.assertEqual(one.split(b"\r\n\r\n")[1], PAGE)

    def test_what_a_protocol_reads_itself_stays(self):
        for answer in (
            b"\x16\x03\x03\x00\x2a 12\n 34\n",
            b"\x4a\x00\x00\x00\x0a5.5.5\n 12 \n",
            b"227 Entering Passive Mode (198,18,0,5,4,1)\r\n",
            b"*2\r\n$10\r\n:12\r\n",
            b"220-FTP\r\n220 ready\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nDate: 12 13\r\n\r\n1a\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n<h1>&#39;</h1> 10:00:00 2026-01-02\n",
        ):
            self.assertEqual(set(self.altered("fields", answer)), {answer})

    def test_an_answer_that_comes_in_pieces_is_looked_through_until_something_is_found(self):
        text = digits.Text()
        self.assertEqual(text.eligible(b"HTTP/1.1 200 OK\r\nA: 1\r\n", "fields"), [])
        self.assertEqual(text.eligible(b"B: 2\r\n\r\n", "fields"), [])
        self.assertEqual(text.eligible(b"it has 34 files\n", "fields"), [(7, 9)])


if __name__ == "__main__":
    unittest.main()
