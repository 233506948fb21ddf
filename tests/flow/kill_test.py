"""Each service is killed with SIGKILL at random moments of a full sync, twenty times over: exact at the end."""
import unittest

from support import truth
from support.harness import ENTITIES, Scenario, wait_for
from support.killing import WARNINGS, kill_during_syncs, running


class Kill(Scenario):
    def start(self, **environment):
        self.portal = self.sandbox('--latency', '60', deals=9000, contacts=6000, companies=2500, leads=4000)
        return self.pipeline(self.portal, **environment).start()

    def test_any_service_twenty_times(self):
        pipeline = self.start()
        kill_during_syncs(self, pipeline, self.portal, 20)

    def test_two_fetchers_two_mappers_two_writers(self):
        pipeline = self.start(FETCHERS=2, MAPPERS=2, WRITERS=2)
        kill_during_syncs(self, pipeline, self.portal, 6)

    def test_a_power_cut_resumes_where_it_was(self):
        pipeline = self.start()
        pipeline.expect(*WARNINGS)
        pipeline.potok('sync', '--full')
        wait_for(lambda: pipeline.query("SELECT 1 FROM potok_job WHERE state = 'done' AND kind = 'range' LIMIT 1"), 'a first job done')
        pipeline.kill_all()
        read = sum(r['read'] for r in pipeline.query('SELECT read FROM potok_run'))
        runs = pipeline.query('SELECT id FROM potok_run')
        pipeline.start()
        wait_for(lambda: not running(pipeline), 'the sync ends', 120)
        self.assertEqual(len(runs), len(pipeline.query('SELECT id FROM potok_run')), 'the same runs went on')
        self.assertGreater(read, 0)
        truth.check(self, pipeline, self.portal, ENTITIES)


if __name__ == '__main__':
    unittest.main()
