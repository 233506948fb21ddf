"""The table that chaos ends with: strikes, and of which kind how many; faults apart."""
import unittest

from chaos import __main__ as chaos
from chaos import round as rounds


def ended(**struck):
    done = rounds.Chaos()
    done.name, done.database, done.done, done.struck, done.last, done.seed = 'events', 'sqlite', 2, struck, '', 7
    return done


class Summary(unittest.TestCase):
    def test_a_line_tells_strikes_of_each_kind_under_their_heads(self):
        head = chaos.HEAD.split()
        self.assertNotIn('kills', head)
        line = dict(zip(head, chaos.line_of(ended(SIGKILL=5, SIGTERM=1, SIGSTOP=3), [], 12.4).split()))     # no faults: one cell less
        self.assertEqual(['9', '5', '1', '3'], [line[name] for name in ('strikes', 'SIGKILL', 'SIGTERM', 'SIGSTOP')])
        self.assertIn('disk 2, power 1', chaos.line_of(ended(SIGKILL=5, power=1, disk=2), [], 1))

    def test_the_last_line_adds_them_up(self):
        struck = [done.strikes() for done in (ended(SIGKILL=5, SIGSTOP=3, lock=9), ended(SIGKILL=2, SIGTERM=1))]
        self.assertEqual('11 strikes (SIGKILL 7, SIGTERM 1, SIGSTOP 3)', chaos.in_all(struck))
        self.assertEqual('0 strikes (SIGKILL 0, SIGTERM 0, SIGSTOP 0)', chaos.in_all([]))


if __name__ == '__main__':
    unittest.main()
