"""Clocks that step: ours by days, back and forth, while a mirror is kept. Nothing waits for a time that no longer comes."""
import os
import struct
import unittest

from support import truth
from support.harness import BIN, ENTITIES, Scenario, wait_for

DAY = 86400


class Clock(Scenario):
    def step(self, seconds):
        with open(self.steps, 'r+b') as f:
            f.write(struct.pack('<q', seconds))

    def open(self, **environment):
        self.steps = os.path.join(self.folder, 'step')
        with open(self.steps, 'wb') as f:
            f.write(struct.pack('<q', 0))
        sandbox = self.sandbox(deals=300, contacts=100, companies=60, leads=60)
        pipeline = self.pipeline(sandbox, LD_PRELOAD=BIN + '/clock_step.so', CLOCK_STEP_FILE=self.steps,
                                 SYNC_DEFAULT_INTERVAL_MINUTES='30', **environment)
        return sandbox, pipeline.start()

    def runs(self, pipeline):
        return {run['entity']: run for run in (pipeline.status() or {'runs': []})['runs']}

    def next_runs(self, pipeline, than):
        """Runs that began by themselves after those of `than`, once they are done."""
        def done():
            runs = self.runs(pipeline)
            return len(runs) == len(ENTITIES) and all(
                r['state'] == 'done' and r['id'] > than.get(e, {'id': 0})['id'] for e, r in runs.items()) and runs
        return wait_for(done, 'runs that begin by themselves')

    def test_a_sync_is_due_whichever_way_the_clock_steps(self):
        sandbox, pipeline = self.open()
        pipeline.expect('clock.step')
        runs = self.next_runs(pipeline, {})
        for step in -10 * DAY, 20 * DAY, 0, -3 * 365 * DAY, -3 * 365 * DAY + DAY:
            with self.subTest(step):
                sandbox.post('change?count=60&kind=mix')
                self.step(step)
                runs = self.next_runs(pipeline, runs)
                truth.check(self, pipeline, sandbox, ENTITIES)

    def test_a_bucket_saved_in_the_future_does_not_stop_the_next_scheduler(self):
        sandbox, pipeline = self.open(BITRIX_TARIFF='2/10')
        pipeline.expect('service.died', 'job.given_up', 'clock.step')
        runs = self.next_runs(pipeline, {})
        self.step(-400 * DAY)
        sandbox.post('change?count=60&kind=mix')
        pipeline.kill('scheduler')
        runs = self.next_runs(pipeline, runs)
        pipeline.sync(timeout=60)
        truth.check(self, pipeline, sandbox, ENTITIES)


if __name__ == '__main__':
    unittest.main()
