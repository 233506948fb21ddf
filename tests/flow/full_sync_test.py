"""A full sync into an empty database is exact; a second one writes no row that did not change."""
import json
import unittest

from support import truth
from support.harness import ENTITIES, Scenario


class FullSync(Scenario):
    def test_every_value_of_every_record_is_exact(self):
        sandbox = self.sandbox(deals=3000, contacts=1500, companies=700, leads=1100)
        pipeline = self.pipeline(sandbox)
        done = pipeline.potok('up', '--once')
        self.assertEqual(0, done.returncode, done.stdout[-2000:] + done.stderr[-2000:])
        truth.check(self, pipeline, sandbox, ENTITIES)
        for entity in ENTITIES:
            self.assertIn(entity, done.stdout)

    def test_a_second_full_sync_writes_no_row(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox)
        self.assertEqual(0, pipeline.potok('up', '--once').returncode)
        before = self.rows(pipeline)
        self.assertEqual(0, pipeline.potok('up', '--once').returncode)
        self.assertEqual(before, self.rows(pipeline))
        runs = pipeline.query('SELECT entity, read, written, same FROM potok_run ORDER BY id DESC LIMIT 4')
        for run in runs:
            self.assertEqual((0, run['read']), (run['written'], run['same']), dict(run))
            self.assertGreater(run['read'], 0)

    def rows(self, pipeline):
        return {e: [tuple(r) for r in pipeline.query('SELECT * FROM crm_%s ORDER BY id' % e)] for e in ENTITIES}

    def test_requests_are_few(self):
        sandbox = self.sandbox(deals=12000, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox)
        self.assertEqual(0, pipeline.potok('up', '--once').returncode)
        self.assertLessEqual(sandbox.stats()['requests'], 1.05 * (12030 / 2500) + 20)

    def test_one_entity_and_json(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox).start()
        started = pipeline.potok('sync', 'contacts', '--full', '--wait', '--json')
        self.assertEqual(0, started.returncode, started.stderr)
        for line in started.stdout.splitlines():
            json.loads(line)
        truth.check(self, pipeline, sandbox, ['contacts'])


if __name__ == '__main__':
    unittest.main()
