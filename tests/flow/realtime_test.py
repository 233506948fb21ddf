"""The mirror follows the portal by events alone while every service is killed and stopped and events go astray.

At rest it equals the portal without a full sync, and no row ever went back to an older version.
"""
import json
import os
import signal
import sys
import unittest
import urllib.request

from support import truth
from support.harness import ENTITIES, Scenario, free_port, wait_for
from support.realtime import WARNINGS, Mirror

SIZES = dict(deals=400, contacts=250, companies=100, leads=200)


class Realtime(Scenario):
    def mirror(self, **more):
        return Mirror(self, free_port(), sizes=SIZES, **more)

    def tell(self, mirror, kills):
        verdict = mirror.check()
        print('%s: %s, %s' % (self.id(), kills, verdict), file=sys.stderr)

    def test_events_doubled_late_and_out_of_order_while_everything_is_killed(self):
        mirror = self.mirror()
        mirror.sandbox.post('events/faults?double=15&late=10&late_ms=1500&hold=5&shuffle_ms=700')
        kills = mirror.storm(36)
        self.tell(mirror, kills)
        events = mirror.sandbox.stats()['events']
        self.assertTrue(events['doubled'] and events['delayed'] and mirror.relay.taken, events)

    def test_reads_that_lag_behind_events(self):
        """The second look finds what the first did not; straight from the portal to the gateway, none is refused."""
        mirror = self.mirror(relay=False, options=('--lag', '500'))
        kills = mirror.storm(8, once=True)
        mirror.sandbox.post('change?count=40&kind=create')
        self.tell(mirror, kills)
        mirror.sandbox.post('change?count=40&kind=delete')
        kills = mirror.storm(6, once=True)
        self.tell(mirror, kills)

    def shown(self, sandbox, deal):
        with urllib.request.urlopen(sandbox.url + 'crm.deal.get?id=%d' % deal) as answer:
            return json.loads(answer.read())['result']['ORIGIN_ID']

    def test_two_changes_of_which_a_read_shows_the_first(self):
        """It changed the row, so the event seems served; what changed since finds the second, without a full sync."""
        mirror = self.mirror(options=('--lag', '1000'), SYNC_INCREMENTAL_SECONDS='2')
        pipeline, sandbox = mirror.pipeline, mirror.sandbox
        pipeline.expect(*WARNINGS)
        record = min(sandbox.truth('deals'))
        pid = pipeline.pid('scheduler')
        os.kill(pid, signal.SIGSTOP)
        sandbox.post('set?entity=deals&id=%d' % record, {'ORIGIN_ID': 'v0000001'})
        wait_for(lambda: self.shown(sandbox, record) == 'v0000001', 'reads show the first', 10)
        sandbox.post('set?entity=deals&id=%d' % record, {'ORIGIN_ID': 'v0000002'})
        os.kill(pid, signal.SIGCONT)
        wait_for(lambda: not mirror.differences(), 'both are there', 30, 0.2)
        mirror.check()

    def stale(self, mirror):
        """What differs at rest: nothing of which the newest change was told."""
        mirror.rest()
        stale = {(d[0], d[1]) for d in mirror.differences()}
        self.assertEqual(set(), stale & set(mirror.relay.answered), 'what was told is there')
        mirror.relay.answered.clear()
        return stale

    def test_events_that_never_come(self):
        """Only what was told is there; what changed since finds the rest, but for deletions: those need a full sync."""
        mirror = self.mirror()
        pipeline, sandbox = mirror.pipeline, mirror.sandbox
        sandbox.post('events/faults?drop=40')
        chosen = [(e, i) for e in ENTITIES for i in sorted(sandbox.truth(e))[:30]]
        for n, (entity, record) in enumerate(chosen):
            sandbox.post('set?entity=%s&id=%d' % (entity, record), {'ORIGIN_ID': 'v%07d' % n})
        self.assertTrue(self.stale(mirror) & set(chosen), 'some were not told')
        sandbox.post('change?count=30&kind=delete')
        self.stale(mirror)
        self.assertGreater(sandbox.stats()['events']['dropped'], 0)
        pipeline.stop()
        pipeline.start(SYNC_INCREMENTAL_SECONDS='1')
        wait_for(lambda: all(d[3] == truth.EXTRA for d in mirror.differences()), 'what changed is found', 30, 0.2)
        gone = mirror.differences()
        self.assertTrue(gone, 'deletions changed nothing that a list shows')
        self.assertEqual(mirror.runs, mirror.run_ids(), 'no full sync yet')
        pipeline.sync()
        wait_for(lambda: not mirror.differences(), 'the full sync finds the deleted', 30, 0.2)
        self.assertEqual([], mirror.watcher.found())


if __name__ == '__main__':
    unittest.main()
