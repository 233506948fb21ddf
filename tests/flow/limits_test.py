"""The portal's limits are never hit: requests at the standard tariff, restarts included, and operating seconds."""
import time
import unittest

from support import truth
from support.harness import Scenario, wait_for
from support.killing import WARNINGS, running


class Limits(Scenario):
    def test_the_bucket_is_never_full_though_the_scheduler_restarts(self):
        sandbox = self.sandbox(tariff='5/30', deals=110000, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox, BITRIX_TARIFF='5/30').start()
        pipeline.expect(*WARNINGS)
        pipeline.potok('sync', '--full')
        for n in range(3):
            requests = sandbox.stats()['requests']
            wait_for(lambda: sandbox.stats()['requests'] >= requests + 8 or not running(pipeline), 'some requests', 60)
            pipeline.kill('scheduler')
        wait_for(lambda: not running(pipeline), 'the sync ends', 180)
        stats = sandbox.stats()
        self.assertEqual(0, stats['refused_503'], stats)
        self.assertGreater(stats['requests'], 35, 'more than the burst was needed')
        truth.check(self, pipeline, sandbox, ['deals'])

    def test_operating_seconds_pause_the_method_and_not_the_sync(self):
        sandbox = self.sandbox('--operating-limit', '100', '--operating-window', '12', '--operating-cost', '4',
                               deals=60000, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox, OPERATING_LIMIT_SECONDS=100).start()
        began = time.monotonic()
        pipeline.sync('deals')
        stats = sandbox.stats()
        self.assertEqual(0, stats['refused_429'], stats)
        self.assertGreater(time.monotonic() - began, 6, 'it had to wait for the window')
        truth.check(self, pipeline, sandbox, ['deals'])


if __name__ == '__main__':
    unittest.main()
