"""One scheduler works, the others stand by: killed, stopped or ended, the next one has its work within five seconds."""
import contextlib
import fcntl
import json
import os
import re
import signal
import sqlite3
import time
import unittest
import urllib.error
import urllib.request

from support import truth
from support.harness import ENTITIES, Pipeline, Scenario, wait_for
from support.killing import WARNINGS

WITHIN_SECONDS = 5      # from the end of the active one to the first dispatch of the next


class Host(Pipeline):
    """A POTOK_HOME beside another one, on the same database: what a second machine would be."""

    def answers(self):
        return any(s['state'] in ('standby', 'ready', 'busy') for s in self.schedulers())

    def schedulers(self):
        try:
            told = json.loads(self.potok('status', '--json').stdout)
        except ValueError:
            return []
        return [s for s in told.get('services', []) if s['service'] == 'scheduler']

    def pages(self, service, n=1):
        with open('%s/run/%s.%d.pid' % (self.home, service, n)) as f:
            return f.read().split()[1]

    def page(self, path, service='scheduler', n=1):
        """Status and text of a page of the service."""
        try:
            with urllib.request.urlopen('http://%s/%s' % (self.pages(service, n), path), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def figure(self, name, service='scheduler', n=1):
        found = re.search(r'^%s (\S+)$' % re.escape(name), self.page('metrics', service, n)[1], re.M)
        return float(found.group(1)) if found else 0

    def events(self, name):
        return [e for e in self.log() if e.get('event') == name]


class Standby(Scenario):
    def setUp(self):
        super().setUp()
        self.portal = self.sandbox('--latency', '60', deals=7000, contacts=4000, companies=1000, leads=3000)

    def host(self, name, beside=None, **environment):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        host = Host(folder, self.portal.url, DONE_DEADLINE='2s', **environment)
        host.expect(*WARNINGS)
        if beside:
            host.db_path = beside.db_path
            host.environment['DATABASE_URL'] = beside.environment['DATABASE_URL']
        self.pipelines.append(host)
        return host.start()

    def lease(self, host):
        return host.query('SELECT epoch, tick, holder FROM potok_lease')[0]

    def works(self, host, before, since):
        """The next scheduler has the lease and has sent something; seconds since then."""
        wait_for(lambda: self.lease(host)['epoch'] > before['epoch'] and self.lease(host)['tick'] > before['tick'],
                 'another scheduler dispatches', 20, 0.02)
        took = time.monotonic() - since
        self.assertLess(took, WITHIN_SECONDS)
        print('%s: %.2f s' % (self.id(), took))

    def open_runs(self, host):
        return host.query("SELECT count(*) AS n FROM potok_run WHERE state IN ('probing', 'open')")[0]['n']

    def rest(self, host):
        """The sync that was under way ends, exact."""
        wait_for(lambda: not self.open_runs(host) and not host.query('SELECT 1 FROM potok_mark LIMIT 1'),
                 'the sync ends', 60)
        truth.check(self, host, self.portal, ENTITIES)

    def begun(self, host):
        host.potok('sync', '--full')
        wait_for(lambda: host.query("SELECT 1 FROM potok_job WHERE state = 'done' AND kind = 'range' LIMIT 1"),
                 'a range is done')
        self.assertGreater(self.open_runs(host), 0)

    def test_a_machine_is_gone_in_the_middle_of_a_sync(self):
        a = self.host('a')
        b = self.host('b', a)
        self.assertEqual(['standby'], [s['state'] for s in b.schedulers()])
        self.assertEqual(200, b.page('health')[0])
        status, text = b.page('ready')
        self.assertEqual(503, status)
        self.assertIn('standby: the lease is held by scheduler.1 on ', text)
        self.assertEqual([], [f for f in os.listdir(b.home + '/run') if re.match(r'scheduler\.\d\.(router|done)', f)])
        self.assertIn('scheduler.1 stands by; the scheduler that works is scheduler.1 on', b.potok('status').stderr)
        self.assertEqual((1, 0), (a.figure('potok_scheduler_active'), b.figure('potok_scheduler_active')))
        self.begun(a)
        before = self.lease(a)
        since = time.monotonic()
        a.kill_all()
        self.works(b, before, since)
        self.assertEqual((1, 1), (b.figure('potok_scheduler_active'), b.figure('potok_scheduler_takeovers_total')))
        self.assertEqual(200, b.page('ready')[0])
        self.rest(b)
        a.start()       # the machine comes back, and finds its work done
        self.assertEqual(['standby'], [s['state'] for s in a.schedulers()])
        b.sync()
        truth.check(self, b, self.portal, ENTITIES)
        before, since = self.lease(b), time.monotonic()
        self.assertEqual(0, b.stop())
        wait_for(lambda: self.lease(a)['epoch'] > before['epoch'], 'given up and taken', 20, 0.02)
        self.assertLess(time.monotonic() - since, 3)
        self.assertEqual(0, a.stop())
        self.assertIsNone(self.lease(a)['holder'])

    def stopped(self, host):
        """The scheduler is stopped, at a moment at which it does not hold the whole database."""
        pid = host.pid('scheduler')
        for _ in range(50):
            os.kill(pid, signal.SIGSTOP)
            with open(host.db_path + '-turn', 'r+b') as turn, contextlib.suppress(OSError, sqlite3.OperationalError):
                self.turn(turn)
                with contextlib.closing(sqlite3.connect(host.db_path, timeout=0)) as connection:
                    connection.execute('BEGIN IMMEDIATE')
                return pid
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.02)
        raise AssertionError('it always holds the database')

    def turn(self, turn):
        for _ in range(50):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(0.01)
        raise OSError('held')

    def test_a_scheduler_that_was_stopped_wakes_deposed_and_does_no_harm(self):
        a = self.host('a')
        a.expect('lease.lost')
        b = self.host('b', a)
        self.begun(a)
        self.portal.fault('latency', times=4, ms=6000)  # what the old one asked for is answered when it is deposed
        wait_for(lambda: 'latency' not in json.dumps(self.portal.get('fault')) if False else True, '')
        time.sleep(0.3)
        before, since = self.lease(a), time.monotonic()
        pid = self.stopped(a)
        self.works(b, before, since)
        epoch = self.lease(b)['epoch']
        wait_for(lambda: time.monotonic() - since > 6, 'six seconds', 20)
        os.kill(pid, signal.SIGCONT)
        wait_for(lambda: [s['state'] for s in a.schedulers()] == ['standby'], 'it stands by', 20)
        self.assertEqual(pid, a.pid('scheduler'), 'the same process')
        self.assertEqual(1, len(a.events('lease.lost')))
        self.rest(b)
        self.assertGreater(a.figure('potok_writer_messages_total{outcome="refused"}', 'writer'), 0)
        b.sync()
        truth.check(self, b, self.portal, ENTITIES)
        self.assertEqual(epoch, self.lease(b)['epoch'], 'nobody took it back')

    def test_of_three_on_one_machine_one_works(self):
        a = self.host('a', SCHEDULERS=3)
        states = lambda: sorted(s['state'] for s in a.schedulers())
        active = lambda: int(re.match(r'scheduler\.(\d)', self.lease(a)['holder']).group(1))
        wait_for(lambda: states() == ['ready', 'standby', 'standby'], 'one works', 20)
        self.begun(a)
        for how in (signal.SIGKILL, signal.SIGTERM):
            before, since = self.lease(a), time.monotonic()
            a.kill('scheduler', active(), how)
            self.works(a, before, since)
            wait_for(lambda: states().count('standby') == 2, 'one works', 20)
        self.assertEqual(self.lease(a)['epoch'], len(a.events('lease.taken')), 'each epoch was taken once')
        self.rest(a)
        self.assertEqual(0, a.stop())
        self.assertEqual([], a.events('lease.lost'))


if __name__ == '__main__':
    unittest.main()
