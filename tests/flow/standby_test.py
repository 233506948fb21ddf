"""One scheduler works, the others stand by: killed, stopped or ended, the next one has its work within five seconds."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

from support import truth
from support.harness import ENTITIES, Pipeline, Scenario, wait_for
from support.killing import WARNINGS, freeze_scheduler

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


# A service that is stopped in the middle of a transaction: it has the turn (shared/db/sqlite_turn.c).
FROZEN = """import fcntl, os, signal, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_OFD_SETLKW, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 1, 1, 0))
os.pwrite(fd, b'%-20d' % os.getpid(), 2)
os.kill(os.getpid(), signal.SIGSTOP)
"""


class Standby(Scenario):
    def host(self, name, beside=None, **environment):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        # few calls at a time: the sync lasts
        host = Host(folder, self.portal.url, DONE_DEADLINE='2s', JOBS_UNFINISHED=2, **environment)
        host.expect(*WARNINGS)
        if beside:
            host.db_path = beside.db_path
            host.environment['DATABASE_URL'] = beside.environment['DATABASE_URL']
        self.pipelines.append(host)
        return host.start()

    def lease(self, host):
        return host.query('SELECT epoch, tick, holder FROM potok_lease')[0]

    def works(self, host, before, since):
        """The next scheduler has the lease, and sends, unless all was sent."""
        wait_for(lambda: self.lease(host)['epoch'] > before['epoch'] and
                 (self.lease(host)['tick'] > before['tick'] or not self.open_runs(host)),
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
        wait_for(lambda: host.query("SELECT 1 FROM potok_job j JOIN potok_run r ON r.id = j.run WHERE j.state = 'done' "
                                    "AND r.state = 'open' LIMIT 1"), 'a range is done')
        self.assertGreater(self.open_runs(host), 0)

    def check_standby(self, a, b):
        self.assertEqual(['standby'], [s['state'] for s in b.schedulers()])
        self.assertEqual(200, b.page('health')[0])
        status, text = b.page('ready')
        self.assertEqual(503, status)
        self.assertIn('standby: the lease is held by scheduler.1 on ', text)
        self.assertEqual([], [f for f in os.listdir(b.home + '/run') if re.match(r'scheduler\.\d\.(router|done)', f)])
        self.assertIn('scheduler.1 stands by; the scheduler that works is scheduler.1 on', b.potok('status').stderr)
        told = b.potok('pause', 'deals')
        self.assertEqual(1, told.returncode)
        self.assertRegex(told.stderr, r'scheduler\.1 stands by; the scheduler that works is scheduler\.1 on \S+ \(pid %d\): give the command there' % a.pid('scheduler'))
        self.assertEqual((1, 0), (a.figure('potok_scheduler_active'), b.figure('potok_scheduler_active')))

    def check_deposed(self, a, b):
        """Stopped for six seconds in the middle of a sync, it wakes deposed and does no harm."""
        self.begun(a)
        self.portal.fault('latency', times=100, ms=6000)  # what the old one asks for is answered when it is deposed
        asked = self.lease(a)['tick']
        wait_for(lambda: self.lease(a)['tick'] > asked, 'it has asked', 20, 0.01)
        since = time.monotonic()
        wait_for(lambda: time.monotonic() - since > 0.3 and a.figure('potok_fetcher_in_hand', 'fetcher') >= 1,
                 'the fetcher asks, and not for what was quick', 20)
        before, since = self.lease(a), time.monotonic()
        pid = freeze_scheduler(a)
        self.portal.post('faults/clear')
        self.works(b, before, since)
        epoch = self.lease(b)['epoch']
        wait_for(lambda: time.monotonic() - since > 6, 'six seconds', 20)
        os.kill(pid, signal.SIGCONT)
        wait_for(lambda: [s['state'] for s in a.schedulers()] == ['standby'], 'it stands by', 20)
        self.assertEqual(pid, a.pid('scheduler'), 'the same process')
        self.assertEqual(1, len(a.events('lease.lost')))
        wait_for(lambda: a.figure('potok_writer_messages_total{outcome="refused"}', 'writer') > 0, 'late rows are refused')
        self.rest(b)
        self.assertEqual(epoch, self.lease(b)['epoch'], 'nobody took it back')
        self.assertEqual((1, 1), (b.figure('potok_scheduler_active'), b.figure('potok_scheduler_takeovers_total')))

    def test_two_machines_one_stopped_one_gone(self):
        self.portal = self.sandbox('--latency', '100', deals=12000, contacts=2000, companies=300, leads=1500)
        a = self.host('a')
        a.expect('lease.lost')
        b = self.host('b', a)
        self.check_standby(a, b)
        self.check_deposed(a, b)
        self.begun(b)
        before, since = self.lease(b), time.monotonic()
        b.kill_all()
        self.works(a, before, since)
        self.rest(a)
        self.assertEqual(200, a.page('ready')[0])
        self.assertEqual(0, a.stop())
        self.assertIsNone(self.lease(a)['holder'])

    def test_of_three_on_one_machine_one_works(self):
        self.portal = self.sandbox('--latency', '100', deals=4000, contacts=2000, companies=300, leads=1500)
        a = self.host('a', SCHEDULERS=3)
        states = lambda: sorted(s['state'] for s in a.schedulers())
        active = lambda: int(re.match(r'scheduler\.(\d)', self.lease(a)['holder']).group(1))
        wait_for(lambda: states() == ['ready', 'standby', 'standby'], 'one works', 20)
        for how in (signal.SIGKILL, signal.SIGTERM):
            self.begun(a)
            before, since = self.lease(a), time.monotonic()
            a.kill('scheduler', active(), how)
            self.works(a, before, since)
            wait_for(lambda: states().count('standby') == 2, 'one works', 20)
        self.assertEqual(self.lease(a)['epoch'], len(a.events('lease.taken')), 'each epoch was taken once')
        self.rest(a)
        self.assertEqual(0, a.stop())
        self.assertEqual([], a.events('lease.lost'))

    def test_who_is_stopped_in_its_turn_is_named(self):
        """Nobody can write then, and no lock can be taken from it: people are told which process it is."""
        self.portal = self.sandbox(deals=100, contacts=10, companies=10, leads=10)
        a = self.host('a')
        b = self.host('b', a)
        b.expect('database.held', 'takeover.failed')
        frozen = subprocess.Popen([sys.executable, '-c', FROZEN, a.db_path + '.turn'])
        self.addCleanup(frozen.wait, 20)
        self.addCleanup(frozen.kill)
        os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WNOWAIT)
        before = self.lease(a)
        a.kill_all()
        status, text = wait_for(lambda: (lambda page: page if 'is stopped' in page[1] else None)(b.page('ready')), 'it is named', 20)
        self.assertEqual(503, status)
        self.assertIn('process %d (' % frozen.pid, text)
        self.assertIn('kill -KILL %d' % frozen.pid, text)
        held = b.events('database.held')
        self.assertEqual([frozen.pid], [e['details']['pid'] for e in held])
        frozen.kill()
        wait_for(lambda: self.lease(b)['epoch'] > before['epoch'] and b.page('ready')[0] == 200, 'b takes over', 20)
        self.assertNotIn('is stopped', b.page('ready')[1])


if __name__ == '__main__':
    unittest.main()
