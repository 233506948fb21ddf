"""Every fault of the sandbox strikes in the middle of a full load: it is survived, or said clearly, and the load ends exact."""
import sys
import time
import unittest

from support import truth
from support.faults import FAULTS, PASSES, PAUSES, PORTAL, REPAIRED, SAID, SETTINGS, STOPPED, STOPS, complete, of, strike
from support.harness import ENTITIES, Scenario

AFTER = 3       # requests of a load that go well


class Load(Scenario):
    def open(self):
        self.portal = self.sandbox(deals=400, contacts=120, companies=60, leads=60, **PORTAL)
        self.potok = self.pipeline(self.portal, **SETTINGS)
        self.potok.expect(*SAID)
        self.potok.start()
        self.potok.sync()

    def struck(self, name, times):
        """Its load; a fault that nobody met proves nothing."""
        self.portal.post('change?count=20&kind=mix')
        strike(self.portal, name, times, AFTER)
        return self.potok.potok('sync', '--full', '--wait', timeout=25)

    def check(self, name):
        self.assertEqual(0, self.portal.stats()['faults'], name + ' was not met')
        self.assertEqual([], [d for e in ENTITIES for d in truth.differences(self.potok, self.portal, e)], name)
        self.assertEqual([], self.potok.query('SELECT * FROM potok_job WHERE state = ?', 'aside'))

    def passing(self, names):
        self.open()
        for name in names:
            with self.subTest(name):
                began = time.monotonic()
                done = self.struck(name, 2)
                self.assertEqual(0, done.returncode, done.stdout[-1500:] + done.stderr)
                self.check(name)
                print('%s: %.1f s' % (name, time.monotonic() - began), file=sys.stderr)

    def test_the_table_is_whole(self):
        complete(self)

    def test_those_that_pass(self):
        self.passing(of(PASSES, PAUSES))

    def test_a_letter_that_is_repaired(self):
        self.open()
        for name in of(REPAIRED):
            self.assertEqual(0, self.struck(name, 2).returncode)
            found = [d for e in ENTITIES for d in truth.differences(self.potok, self.portal, e)]
            self.assertEqual(2, len(found))
            self.assertTrue(all('\ufffd' in d[3] for d in found))
            self.potok.sync()
            self.check(name)

    def test_those_that_stop_the_portal(self):
        self.open()
        self.potok.expect(*STOPPED)
        for name in of(STOPS):
            with self.subTest(name):
                done = self.struck(name, 1)
                self.assertEqual(1, done.returncode)
                self.assertIn(FAULTS[name].word, done.stdout + done.stderr)
                self.assertEqual('stopped', self.potok.status()['portals'][0]['state'])
                self.potok.sync()
                self.check(name)


if __name__ == '__main__':
    unittest.main()
