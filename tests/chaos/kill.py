"""./dev chaos [--kills N] [--seed N]: kills services at random while full syncs run; exact at the end, or exit 1."""
import argparse
import os
import sys
import unittest

from support.harness import Scenario
from support.killing import kill_during_syncs

arguments = argparse.ArgumentParser(prog='./dev chaos')
arguments.add_argument('--kills', type=int, default=200)
arguments.add_argument('--seed', type=int, default=0)
options = arguments.parse_args()
if options.seed:
    os.environ['SEED'] = str(options.seed)


class Chaos(Scenario):
    def test_kills(self):
        sandbox = self.sandbox('--latency', '60', deals=9000, contacts=6000, companies=2500, leads=4000)
        kill_during_syncs(self, self.pipeline(sandbox).start(), sandbox, options.kills)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
