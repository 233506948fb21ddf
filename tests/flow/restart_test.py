"""Several of each service, and a power cut: a sync goes on where it was."""
import os
import signal
import time
import unittest

from support import truth
from support.harness import ALL_SERVICES, ENTITIES, SERVICES, Scenario, wait_for
from support.killing import WARNINGS, kill_during_syncs, running


class Restart(Scenario):
    def start(self, **environment):
        self.portal = self.sandbox('--latency', '60', deals=9000, contacts=6000, companies=2500, leads=4000)
        return self.pipeline(self.portal, DONE_DEADLINE='2s', **environment).start()

    def test_any_service_of_two_fetchers_two_mappers_two_writers(self):
        pipeline = self.start(FETCHERS=2, MAPPERS=2, WRITERS=2)
        kill_during_syncs(self, pipeline, self.portal, 10, SERVICES)

    def test_a_power_cut_resumes_where_it_was(self):
        pipeline = self.start()
        pipeline.expect(*WARNINGS)
        pipeline.potok('sync', '--full')
        done = "SELECT id, records FROM potok_job WHERE state = 'done' AND kind = 'range'"
        wait_for(lambda: pipeline.query(done), 'a first range is done')
        pipeline.kill_all()
        for language, words in ('C.UTF-8', 'interrupted, goes on at the next start'), ('ru_RU.UTF-8', 'прервана, продолжится'):
            told = pipeline.potok('status', LANG=language).stdout
            self.assertIn(words, told)
            self.assertNotRegex(told, 'running|learning fields|узнаю поля')
        before = {r['id'] for r in pipeline.query(done)}
        runs = pipeline.query('SELECT id FROM potok_run')
        pipeline.start()
        wait_for(lambda: not running(pipeline), 'the sync ends', 120)
        self.assertEqual(len(runs), len(pipeline.query('SELECT id FROM potok_run')), 'the same runs went on')
        self.assertLessEqual(before, {r['id'] for r in pipeline.query(done)}, 'what was done stayed done')
        truth.check(self, pipeline, self.portal, ENTITIES)

    def test_status_is_told_at_once_and_the_dead_are_not_waited_for(self):
        sandbox = self.sandbox(deals=10, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox, STATUS_INTERVAL='30s').start()
        services = pipeline.status()['services']
        self.assertEqual(set(ALL_SERVICES), {s['service'] for s in services})
        self.assertNotIn('no answer', {s['state'] for s in services}, 'who asks does not wait for the next turn')
        pipeline.expect('service.died')

        def took():
            began = time.monotonic()
            told = pipeline.status()
            self.assertEqual(set(ALL_SERVICES) - {'mapper'}, {s['service'] for s in told['services']})
            return time.monotonic() - began
        os.kill(pipeline.up.pid, signal.SIGSTOP)        # nobody starts it anew
        try:
            pipeline.kill('mapper')
            self.assertLess(min(took() for _ in range(5)), 1.4)     # a silent one is given 1.5 s
        finally:
            os.kill(pipeline.up.pid, signal.SIGCONT)

    def test_no_call_is_forgotten_when_the_scheduler_is_killed(self):
        pipeline = self.start()
        pipeline.expect(*WARNINGS)
        pipeline.potok('sync', '--full')
        for kill in range(3):
            wait_for(lambda: self.portal.stats()['requests'] >= 3 * (kill + 1), 'some calls')
            pipeline.kill('scheduler')
        wait_for(lambda: not running(pipeline), 'the sync ends', 120)
        counted = sum(int(r['requests']) for r in pipeline.query('SELECT requests FROM potok_run'))
        made = self.portal.stats()['requests']
        self.assertGreaterEqual(counted, made)
        self.assertLessEqual(counted, made + 3 * 8)     # numbered, and killed before they were sent


if __name__ == '__main__':
    unittest.main()
