"""Changes come by the portal's queue alone: nothing can reach us from outside."""
import contextlib
import os
import time
import unittest

from support.application import Application, handler_key
from support.harness import Scenario, free_port, wait_for
from support.truth import differences


class Offline(Application, Scenario):
    def begin(self, *quirks, events='offline', **environment):
        sandbox = self.app_sandbox(*[x for q in quirks for x in ('--quirk', q)])
        p = self.app_pipeline(sandbox, events, **dict(dict(OFFLINE_SECONDS=1), **environment))
        p.start()
        self.login(p, sandbox)
        p.sync()
        wait_for(lambda: len(self.bound(sandbox, offline=True)) == 15, 'the queue is bound', 10)
        return sandbox, p

    def queue(self, sandbox):
        return sandbox.app('event.offline.list', auth_connector='potok')['result']

    def reserved(self, sandbox):
        return [e for e in self.queue(sandbox) if e['PROCESS_ID']]

    def same(self, sandbox, p):
        """Rows are what the portal has, and its queue is empty: what was read is confirmed."""
        return not self.queue(sandbox) and not any(differences(p, sandbox, e) for e in ('deals', 'contacts'))

    def change(self, sandbox, n=3):
        for kind in 'update', 'create', 'delete':
            sandbox.post('change?entity=deals&count=%d&kind=%s' % (n, kind))

    def test_changes_reach_rows_by_the_queue_alone(self):
        sandbox, p = self.begin()
        self.assertNotIn('no event', p.potok('webhooks').stdout.replace('no event told', ''), 'none is to come')
        self.change(sandbox)
        wait_for(lambda: self.same(sandbox, p), 'three changed, added and deleted', 15)
        told = p.potok('webhooks').stdout
        self.assertIn("The portal's queue was read", told)
        self.assertNotIn('no event came', told)
        events = p.status()['portals'][0]['events']
        self.assertEqual(('well', 15, 15), (events['state'], events['wanted'], events['bound']))
        self.assertGreaterEqual(events['queue']['events'], 6)
        self.assertIsNone(events['handler'])

    def test_more_events_than_a_reading_brings(self):
        sandbox, p = self.begin(OFFLINE_SECONDS=30)
        sandbox.post('change?entity=deals&count=120&kind=create')
        sandbox.post('change?entity=contacts&count=40&kind=create')
        p.kill('scheduler')         # it reads at its start, and goes on while there is more
        p.expect('service.died', 'service.restarted', 'fetcher.lost', 'job.given_up')
        wait_for(lambda: self.same(sandbox, p), '160 events, 50 at a time', 15)

    def test_the_portal_wakes_the_reader(self):
        """Where there is an address for ONOFFLINEEVENT, nobody waits for the interval."""
        address = '127.0.0.1:%d' % free_port()
        sandbox, p = self.begin(OFFLINE_SECONDS=600, GATEWAY_LISTEN=address, PUBLIC_URL='http://' + address)
        handler = 'http://%s/api/v1/webhooks/bitrix?key=%s' % (address, handler_key())
        wait_for(lambda: ('ONOFFLINEEVENT', handler) in self.bound(sandbox), 'it is bound', 10)
        self.change(sandbox)
        wait_for(lambda: self.same(sandbox, p), 'three changed, added and deleted', 15)

    def test_the_portal_calls_and_what_a_call_loses_is_read_from_the_queue(self):
        """events: both. Nobody wakes the reader: events and the word of the queue go the same way, and all are lost."""
        address = '127.0.0.1:%d' % free_port()
        sandbox, p = self.begin(events='both', OFFLINE_SECONDS=1, GATEWAY_LISTEN=address, PUBLIC_URL='http://' + address)
        handler = 'http://%s/api/v1/webhooks/bitrix' % address
        wait_for(lambda: p.status()['portals'][0]['events']['state'] == 'well', 'all is bound', 15)
        online = {event for event, to in self.bound(sandbox, offline=False) if to.startswith(handler)}
        queued = {event for event, _ in self.bound(sandbox, offline=True)}
        self.assertEqual((15, online - {'ONOFFLINEEVENT'}), (len(queued), queued))
        self.assertIn('ONOFFLINEEVENT', online)
        sandbox.post('change?entity=deals&count=3&kind=update')
        wait_for(lambda: sandbox.stats()['events']['answered'], 'the portal calls', 10)
        wait_for(lambda: self.same(sandbox, p), 'three changed', 20)
        answered = sandbox.stats()['events']['answered']
        sandbox.post('events/faults?drop=100')
        self.change(sandbox)
        wait_for(lambda: self.same(sandbox, p), 'three changed, added and deleted', 25)
        self.assertEqual(answered, sandbox.stats()['events']['answered'], 'no call told it')

    def killed_at(self, point):
        """The scheduler dies there once; its successor finds the reservation, marks it and confirms it."""
        sandbox, p = self.begin()
        p.stop()
        self.change(sandbox)
        self.assertFalse(self.reserved(sandbox))
        crash = os.path.join(self.folder, 'crash')
        with open(crash, 'w') as f:
            f.write(point)
        p.start(POTOK_CRASH_AT=crash)
        p.expect('service.died', 'service.ended', 'service.restarted')
        wait_for(lambda: [e for e in p.log() if e['event'] == 'offline.left'], 'what was left is found', 15)
        wait_for(lambda: self.same(sandbox, p), 'nothing is lost and nothing stays reserved', 15)

    def test_killed_before_what_was_read_is_kept(self):
        self.killed_at('scheduler.after_offline_get')

    def test_killed_before_what_is_kept_is_confirmed(self):
        self.killed_at('scheduler.before_offline_clear')

    def test_a_cut_answer_hides_nothing(self):
        """The portal reserved what its answer, cut on its way, did not tell: that is looked for at once."""
        sandbox, p = self.begin(OFFLINE_SECONDS=3, SYNC_INCREMENTAL_SECONDS=0, SYNC_SWEEP_MINUTES=0)
        p.expect('job.retry', 'portal.unwell')

        def read():
            return p.status()['portals'][0]['events']['queue']['read_ms']
        wait_for(read, 'the first reading', 10)
        last = read()
        wait_for(lambda: read() != last, 'the next one', 10)
        self.change(sandbox)
        sandbox.fault('truncated', 1)
        wait_for(lambda: [e for e in p.log() if e['event'] == 'offline.left'], 'what was reserved is found', 20)
        wait_for(lambda: self.same(sandbox, p), 'three changed, added and deleted', 20)

    def late(self, meanwhile=lambda p: None):
        """A reading is cut off, and the portal goes on with it for some seconds: only then it reserves, and tells nobody."""
        sandbox, p = self.begin(OFFLINE_SECONDS=15, PORTAL_CALL_LIMIT='1s')
        p.expect('job.retry', 'portal.unwell', 'offline.failed')

        def read():
            with contextlib.suppress(KeyError, IndexError, TypeError):
                return p.status()['portals'][0]['events']['queue']['read_ms']
        wait_for(read, 'the first reading', 10)
        last = read()
        wait_for(lambda: read() != last, 'the next one', 20)
        sandbox.fault('late', 1, method='batch', ms=9000, **{'as': 'reset'})
        last = read()
        wait_for(lambda: sandbox.stats()['landing'], 'the one that is cut off', 20)
        meanwhile(p)
        wait_for(lambda: read() not in (None, last), 'it is made again, and tells of nothing', 8)
        time.sleep(2)       # what is reserved was looked for at once
        self.assertEqual(1, sandbox.stats()['landing'], 'the first is still under way')
        self.change(sandbox)
        wait_for(lambda: self.reserved(sandbox), 'it lands', 12, 0.2)
        wait_for(lambda: [e for e in p.log() if e['event'] == 'offline.left'], 'what it reserved is found', 15)
        wait_for(lambda: self.same(sandbox, p), 'three changed, added and deleted', 10)

    def test_a_reading_that_lands_late_hides_nothing(self):
        self.late()

    def test_nor_does_one_of_a_scheduler_that_died(self):
        def kill(p):
            p.expect('service.died', 'service.ended', 'service.restarted', 'fetcher.lost', 'job.given_up')
            p.kill('scheduler')
        self.late(kill)

    def test_what_a_paused_entity_waits_for_is_not_confirmed(self):
        """Its events do not say which record: they are kept until it is looked through, and that is when it goes on."""
        sandbox, p = self.begin('offline-false')
        self.assertEqual(0, p.potok('pause', 'deals').returncode)
        self.change(sandbox)
        wait_for(lambda: self.reserved(sandbox), 'they are read', 10)
        time.sleep(4)
        self.assertTrue(self.reserved(sandbox), 'and wait')
        self.assertEqual(0, p.potok('resume', 'deals').returncode)
        wait_for(lambda: self.same(sandbox, p), 'three changed, added and deleted', 20)

    def test_events_that_do_not_say_which_record(self):
        """Nothing but looking through the entity helps: what changed by date, what is gone by all ids."""
        sandbox, p = self.begin('offline-false')
        self.change(sandbox)
        wait_for(lambda: self.same(sandbox, p), 'three changed, added and deleted', 20)


if __name__ == '__main__':
    unittest.main()
