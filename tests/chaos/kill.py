"""./dev chaos [NAME...] [--kills N] [--long] [--seed N]: services are killed and stopped at random; exact at the end, or exit 1.

  syncs    SIGKILL during full syncs
  events   no sync: events alone, doubled, late, held and out of order; SIGKILL, SIGSTOP and SIGCONT, the gateway too
  lag      the same portal shows changes half a second after their events; each record changes once between two verdicts
  lost     events are dropped as well: what changed is found without a full sync, what was deleted with one

Every scenario ends by itself: the last kill, rest, the oracle's verdict. --kills is the number of all of them together.
"""
import argparse
import os
import sys
import time
import unittest

from support import truth
from support.harness import Scenario, free_port, wait_for
from support.killing import kill_during_syncs
from support.realtime import Mirror

NAMES = 'syncs', 'events', 'lag', 'lost'
ROUND = 25          # kills between two verdicts
FAULTS = 'double=15&late=10&late_ms=1500&hold=5&shuffle_ms=700', 'double=50&shuffle_ms=3000', 'late=40&late_ms=4000', ''

arguments = argparse.ArgumentParser(prog='./dev chaos', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument('names', nargs='*', metavar='NAME', choices=[[], *NAMES])
arguments.add_argument('--kills', type=int)
arguments.add_argument('--long', action='store_true', help='1,000 kills instead of 200')
arguments.add_argument('--seed', type=int, default=0)
options = arguments.parse_args()
if options.seed:
    os.environ['SEED'] = str(options.seed)
chosen = options.names or list(NAMES)
each = max(1, (options.kills or (1000 if options.long else 200)) // len(chosen))


class Chaos(Scenario):
    def say(self, name, number, kills, verdict):
        print('%s %s, round %d: %s, %s' % (time.strftime('%H:%M:%S'), name, number, kills, verdict), flush=True)

    def rounds(self):
        """How many kills each round has, all together `each`."""
        return [min(ROUND, each - done) for done in range(0, each, ROUND)]

    def mirror(self, **more):
        return Mirror(self, free_port(), sizes=dict(deals=3000, contacts=1500, companies=500, leads=1000), **more)

    def test_syncs(self):
        sandbox = self.sandbox('--latency', '60', deals=9000, contacts=6000, companies=2500, leads=4000)
        kill_during_syncs(self, self.pipeline(sandbox).start(), sandbox, each)
        self.say('syncs', 1, {'SIGKILL': each}, 'differences: 0')

    def test_events(self):
        mirror = self.mirror()
        for n, kills in enumerate(self.rounds()):
            mirror.sandbox.post('events/faults?' + FAULTS[n % len(FAULTS)])
            struck = mirror.storm(kills, per_second=100, longest_stop=self.random.choice((0.3, 1.5, 6)))
            self.say('events', n + 1, struck, mirror.check(120))

    def test_lag(self):
        mirror = self.mirror(relay=False, options=('--lag', '500'))
        for n, kills in enumerate(self.rounds()):
            mirror.sandbox.post('change?count=100&kind=' + ('delete', 'create')[n % 2])
            struck = mirror.storm(kills, once=True)
            self.say('lag', n + 1, struck, mirror.check(120))

    def test_lost(self):
        mirror = self.mirror(SYNC_INCREMENTAL_SECONDS='2')
        for n, kills in enumerate(self.rounds()):
            mirror.sandbox.post('events/faults?drop=20&double=10&shuffle_ms=500')
            struck = mirror.storm(kills, per_second=100)
            wait_for(mirror.delivered, 'the portal has told all its events', 120, 0.1)
            wait_for(lambda: all(d[3] == truth.EXTRA for d in mirror.differences()), 'what changed is found', 120, 0.5)
            extra = len(mirror.differences())
            self.assertEqual([], mirror.watcher.found())
            mirror.pipeline.sync()
            wait_for(lambda: not mirror.differences(), 'the full sync finds the deleted', 120, 0.5)
            self.say('lost', n + 1, struck, 'deletions that needed the full sync: %d, differences: 0' % extra)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + ['Chaos.test_' + name for name in chosen])
