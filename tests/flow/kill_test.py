"""Each service is killed with SIGKILL at random moments of full syncs, time and again: exact at the end."""
import unittest

from support.harness import ALL, Scenario
from support.killing import kill_during_syncs

TIMES = 20 if ALL else 8


class Kill(Scenario):
    def time_and_again(self, service):
        portal = self.sandbox('--latency', '60', deals=9000, contacts=6000, companies=2500, leads=4000)
        kill_during_syncs(self, self.pipeline(portal, DONE_DEADLINE='2s').start(), portal, TIMES, [service])

    def test_the_scheduler(self):
        self.time_and_again('scheduler')

    def test_the_fetcher(self):
        self.time_and_again('fetcher')

    def test_the_mapper(self):
        self.time_and_again('mapper')

    def test_the_writer(self):
        self.time_and_again('writer')


if __name__ == '__main__':
    unittest.main()
