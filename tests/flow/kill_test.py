"""Each service is killed with SIGKILL at random moments of full syncs, twenty times over: exact at the end."""
import unittest

from support.harness import Scenario
from support.killing import kill_during_syncs


class Kill(Scenario):
    def twenty_times(self, service):
        portal = self.sandbox('--latency', '60', deals=9000, contacts=6000, companies=2500, leads=4000)
        kill_during_syncs(self, self.pipeline(portal, DONE_DEADLINE='2s').start(), portal, 20, [service])

    def test_the_scheduler(self):
        self.twenty_times('scheduler')

    def test_the_fetcher(self):
        self.twenty_times('fetcher')

    def test_the_mapper(self):
        self.twenty_times('mapper')

    def test_the_writer(self):
        self.twenty_times('writer')


if __name__ == '__main__':
    unittest.main()
