"""Every fault of the sandbox strikes while the mirror follows the portal by its events: rows follow by themselves, or the portal is
stopped, and what was acknowledged waits until it is put right."""
import sys
import time
import unittest

from support import truth
from support.faults import FAULTS, PASSES, PAUSES, PORTAL, REPAIRED, SAID, SETTINGS, STOPPED, STOPS, complete, of, strike
from support.harness import ALL, ENTITIES, Scenario, wait_for

AGAIN = 15      # a portal that is unwell is tried every 15 s at the latest


class Traffic(Scenario):
    def open(self):
        self.portal = self.sandbox(deals=300, contacts=100, companies=50, leads=50, **PORTAL)
        self.potok = self.pipeline(self.portal, BITRIX_APPLICATION_TOKEN=self.portal.token, **SETTINGS)
        self.potok.expect(*SAID)
        self.potok.start()
        self.potok.sync()
        address = wait_for(lambda: next((e['details']['address'] for e in self.potok.log()
                                         if e.get('event') == 'gateway.listening'), None), 'the gateway listens')
        self.portal.send_events_to('http://%s/webhook/bitrix' % address)
        self.runs = self.potok.query('SELECT count(*) FROM potok_run')[0][0]

    def change(self):
        for kind in 'update', 'create', 'delete':
            self.portal.post('change?count=8&kind=' + kind)

    def struck(self):
        return self.portal.stats()['faults'] == 0

    def same(self, entities=ENTITIES):
        return not any(truth.differences(self.potok, self.portal, e, 1) for e in entities)

    def passing(self, names):
        self.open()
        for name in names:
            with self.subTest(name):
                began = time.monotonic()
                strike(self.portal, name)
                self.change()
                wait_for(lambda: self.struck() and self.same(), name + ': the rows follow', AGAIN + 10)
                print('%s: %.1f s' % (name, time.monotonic() - began), file=sys.stderr)
        self.assertEqual(self.runs, self.potok.query('SELECT count(*) FROM potok_run')[0][0], 'no full sync')
        self.assertEqual([], self.potok.query('SELECT * FROM potok_reject'))

    def test_the_table_is_whole(self):
        complete(self)

    def test_those_that_pass(self):
        self.passing(of(PASSES))

    def test_a_letter_that_is_repaired(self):
        self.open()
        for name in of(REPAIRED):
            strike(self.portal, name)
            self.change()
            wait_for(lambda: self.struck() and self.potok.status()['marks'] == 0, name + ': the rows follow', AGAIN)
            self.potok.sync()
            self.assertTrue(self.same())

    def test_a_method_that_pauses(self):
        """The others go on."""
        self.open()
        for name in of(PAUSES):
            strike(self.portal, name, 1)
            self.change()
            wait_for(lambda: self.struck() and self.same([e for e in ENTITIES if e != 'deals']), name + ': the others follow', AGAIN)
            told, = [e['details'] for e in self.potok.log() if e['event'] == 'portal.refused']
            self.assertEqual((FAULTS[name].method, 60000), (told['method'], told['wait_ms']))
            if ALL:
                wait_for(self.same, name + ': deals follow', 90)

    def test_those_that_stop_the_portal(self):
        """Only the sync of one entity is ordered: what waited for the others is read as well."""
        self.open()
        self.potok.expect(*STOPPED)
        for name in of(STOPS):
            with self.subTest(name):
                strike(self.portal, name, 1)
                self.change()
                wait_for(lambda: self.potok.status()['portals'][0]['state'] == 'stopped', name + ': it is stopped', 15)
                self.assertIn(FAULTS[name].word, self.potok.status()['portals'][0]['error'])
                self.potok.sync('leads')
                wait_for(self.same, name + ': the rows follow', AGAIN)
                self.assertTrue(self.struck())


if __name__ == '__main__':
    unittest.main()
