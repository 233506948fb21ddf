"""Redirects that rename_test.py does not meet: to another portal, which answers; in circles, for an application."""
import os
import unittest

from support import truth
from support.application import Application
from support.harness import Scenario

MIRRORED = 'deals', 'contacts'


class Redirects(Application, Scenario):
    def host(self, pipeline):
        return pipeline.query('SELECT host FROM potok_lease')[0]['host']

    def exact(self, pipeline):
        pipeline.sync()
        truth.check(self, pipeline, self.portal, MIRRORED)

    def test_another_portal_is_not_taken_for_ours(self):
        """It refuses what is no secret of its own; the address stays, and no row of it gets in."""
        self.portal = self.sandbox(deals=100, contacts=50, companies=10, leads=10)
        whole, self.folder = self.folder, os.path.join(self.folder, 'other')
        os.makedirs(self.folder)
        other = self.sandbox(seed=99, deals=60, contacts=20, companies=5, leads=5)
        self.folder = whole
        pipeline = self.pipeline(self.portal)
        pipeline.expect('portal.astray', 'portal.unwell', 'portal.stopped', 'sync.failed', 'job.retry')
        pipeline.start()
        self.exact(pipeline)
        self.portal.fault('redirect302', 1, to='http://127.0.0.1:%d' % other.port, method='batch')
        pipeline.potok('sync', 'deals', '--full', '--wait', timeout=60)
        self.assertEqual(0, self.portal.stats()['faults'])
        self.assertEqual(0, sum(m['calls'] for m in other.stats()['by_method'].values()))
        self.portal.post('change?entity=deals&count=5&kind=mix')
        self.exact(pipeline)
        self.assertIsNone(self.host(pipeline))
        self.assertEqual([], [e for e in pipeline.log() if e['event'] == 'portal.moved'])

    def test_an_application_in_circles(self):
        self.portal = self.app_sandbox(deals=40, contacts=20)
        pipeline = self.app_pipeline(self.portal)
        pipeline.expect('portal.moved', 'sync.failed')
        pipeline.start()
        self.login(pipeline, self.portal)
        self.exact(pipeline)
        first = self.portal.application()['address']
        new = self.portal.rename()
        self.exact(pipeline)
        self.assertEqual(new, self.host(pipeline))
        self.portal.fault('redirect302', 1000, to='http://' + first, method='batch')     # which sends us back
        done = pipeline.potok('sync', '--full', '--wait', timeout=60)
        self.assertEqual(1, done.returncode)
        self.assertIn('from one address to another', pipeline.potok('status').stdout)
        self.portal.post('faults/clear')
        self.exact(pipeline)
        self.assertEqual(new, self.host(pipeline))


if __name__ == '__main__':
    unittest.main()
