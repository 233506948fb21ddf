"""Records changed and deleted at the portal while a sync runs: no row goes back, and the next sync is exact."""
import contextlib
import threading
import time
import unittest

from support import truth
from support.harness import ENTITIES, Scenario
from support.killing import WARNINGS, running


class Change(Scenario):
    def test_rows_never_go_back_to_an_older_state(self):
        sandbox = self.sandbox('--latency', '40', deals=3000, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        ids = sorted(sandbox.truth('deals'))[::150]
        versions, stop, wrong = {i: 0 for i in ids}, threading.Event(), []

        def change():
            while not stop.is_set():
                for i in ids:
                    versions[i] += 1
                    sandbox.post('set?entity=deals&id=%d' % i, {'TITLE': 'v%d' % versions[i]})

        def watch():
            seen = {}
            with contextlib.closing(pipeline.db()) as db:
                while not stop.is_set():
                    for row in db.execute("SELECT id, title FROM crm_deals WHERE title LIKE 'v%'").fetchall():
                        version = int(row['title'][1:])
                        if version < seen.get(row['id'], 0):
                            wrong.append((row['id'], seen[row['id']], version))
                        seen[row['id']] = version
                    time.sleep(0.01)

        threads = [threading.Thread(target=change), threading.Thread(target=watch)]
        for thread in threads:
            thread.start()
        try:
            for n in range(3):
                pipeline.sync('deals')
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual([], wrong)
        pipeline.sync('deals')
        truth.check(self, pipeline, sandbox, ['deals'])
        self.assertGreater(min(versions.values()), 3, 'records changed while syncs ran')

    def test_changes_and_deletions_during_a_sync_are_exact_after_the_next(self):
        sandbox = self.sandbox('--latency', '40', deals=4000, contacts=2000, companies=500, leads=1000)
        pipeline = self.pipeline(sandbox).start()
        pipeline.expect(*WARNINGS)
        pipeline.potok('sync', '--full')
        sandbox.post('change/rate?per_s=300&seconds=4')
        time.sleep(1)
        pipeline.kill('writer')
        pipeline.kill('fetcher')
        deadline = time.monotonic() + 60
        while running(pipeline) and time.monotonic() < deadline:
            time.sleep(0.1)
        pipeline.sync()
        while sandbox.stats().get('changing') and time.monotonic() < deadline:
            time.sleep(0.1)
        pipeline.sync()
        truth.check(self, pipeline, sandbox, ENTITIES)
        gone = {row['id'] for row in sandbox.lines('deleted/deals')}
        ghosts = {r['id'] for r in pipeline.query('SELECT id FROM crm_deals WHERE _deleted_at IS NOT NULL')}
        self.assertTrue(gone, 'the portal deleted some')
        self.assertLessEqual(ghosts, gone, 'only what the portal deleted is a ghost')

    def test_a_deletion_keeps_the_values_and_tells_when(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync('deals')
        live = set(sandbox.truth('deals'))
        sandbox.post('change?entity=deals&count=7&kind=delete')
        pipeline.sync('deals')
        gone = live - set(sandbox.truth('deals'))
        rows = pipeline.query('SELECT id, title, _deleted_at, _written_at FROM crm_deals WHERE _deleted_at IS NOT NULL')
        self.assertEqual(gone, {r['id'] for r in rows})
        self.assertEqual(7, len(rows))
        for row in rows:
            self.assertIsNotNone(row['_written_at'])
            self.assertRegex(row['_deleted_at'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d')


if __name__ == '__main__':
    unittest.main()
