"""A method that the portal blocks without a word until when: it is left alone for a minute, twice. A file of its own, for it does
nothing but wait."""
import unittest

from portal_test import Faults
from support.harness import Scenario


class Blocked(Faults, Scenario):
    def test_a_blocked_method_costs_a_minute_each_time(self):
        self.pass_by('limit429')


if __name__ == '__main__':
    unittest.main()
