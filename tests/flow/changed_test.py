"""What changed is found without any webhook, one call an entity and interval; and nothing of it is lost by kills or clocks."""
import contextlib
import os
import struct
import time
import unittest

from support import truth
from support.harness import ALL, BIN, ENTITIES, SERVICES, Scenario, wait_for
from support.killing import WARNINGS
from support.postgres import Server


@contextlib.contextmanager
def environment(**more):
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


class Changed(Scenario):
    server = None

    @classmethod
    def tearDownClass(cls):
        if cls.server:
            cls.server.close()

    def mirror(self, sandbox, seconds=1, postgres=False, **environment):
        """Synced once; then only what changed is asked for."""
        if postgres:
            Changed.server = Changed.server or Server()
            name = 'changed%d' % len(self.server.rows('SELECT datname FROM pg_database', 'postgres'))
            self.server.execute('CREATE DATABASE %s' % name)
            environment['postgres'] = (self.server, name)
        pipeline = self.pipeline(sandbox, SYNC_INCREMENTAL_SECONDS=seconds, **environment).start()
        pipeline.sync()
        return pipeline

    def runs(self, pipeline):
        return [row['id'] for row in pipeline.query('SELECT id FROM potok_run')]

    def looks(self, pipeline):
        """When each entity was looked at last."""
        rows = pipeline.query("SELECT entity, at_ms FROM potok_cursor WHERE name = 'changed'")
        return {row['entity']: int(row['at_ms']) for row in rows}

    def arrives(self, pipeline, sandbox, seconds=30):
        wait_for(lambda: not any(truth.differences(pipeline, sandbox, e, 1) for e in ENTITIES), 'what changed arrives',
                 seconds, 0.2)

    def change(self, sandbox, count):
        """Deletions are another matter: who is gone changed in no list."""
        sandbox.post('change?count=%d&kind=update' % count)
        sandbox.post('change?count=%d&kind=create' % (count // 4))

    def check_changes(self, postgres):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox, postgres=postgres)
        runs = self.runs(pipeline)
        for _ in range(3):
            self.change(sandbox, 60)
            self.arrives(pipeline, sandbox)
        one = pipeline.query('SELECT min(id) AS id FROM crm_deals')[0]['id']
        sandbox.post('set?entity=deals&id=%s' % one, {'CATEGORY_ID': '7', 'STAGE_ID': 'C7:NEW'})    # no plain webhook tells
        self.arrives(pipeline, sandbox)
        self.assertEqual(runs, self.runs(pipeline), 'no full sync')
        truth.check(self, pipeline, sandbox, ENTITIES)

    def test_changes_arrive_without_a_webhook(self):
        self.check_changes(False)

    def test_changes_arrive_in_postgres(self):
        self.check_changes(True)

    def test_nothing_changed_costs_one_call_an_entity(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox, seconds=2)
        wait_for(lambda: len(self.looks(pipeline)) == len(ENTITIES), 'each is looked at')
        before, looks, began = sandbox.stats(), self.looks(pipeline), time.monotonic()
        for _ in range(3):
            wait_for(lambda: all(at > looks[e] for e, at in self.looks(pipeline).items()), 'another look')
            looks = self.looks(pipeline)
        after, took = sandbox.stats(), time.monotonic() - began
        self.assertLessEqual(after['requests'] - before['requests'], 4 * (took / 2 + 1))
        self.assertEqual(before['records'], after['records'], 'and no record')

    def test_no_look_before_a_full_sync(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox, SYNC_INCREMENTAL_SECONDS=1).start()
        pipeline.sync('deals')
        first = wait_for(lambda: self.looks(pipeline).get('deals'), 'the one that was synced')
        wait_for(lambda: self.looks(pipeline)['deals'] > first + 2000, 'it is looked at again')
        self.assertEqual(['deals'], list(self.looks(pipeline)))
        fresh = {f['entity']: f for f in pipeline.status()['freshness']}
        self.assertLess(fresh['deals']['changed_age_ms'], 20000)
        self.assertIsNone(fresh['leads']['changed_age_ms'])

    def test_more_than_one_call_holds(self):
        sandbox = self.sandbox(deals=6000)
        pipeline = self.mirror(sandbox, WRITERS=2)
        for count in 5000, 300:
            sandbox.post('change?entity=deals&count=%d&kind=update' % count)
            self.change(sandbox, 100)
            self.arrives(pipeline, sandbox)
        truth.check(self, pipeline, sandbox, ENTITIES)

    def test_the_portals_clock_steps(self):
        steps = os.path.join(self.folder, 'step')
        with open(steps, 'wb') as f:
            f.write(struct.pack('<q', 0))
        with environment(LD_PRELOAD=BIN + '/clock_step.so', CLOCK_STEP_FILE=steps):
            sandbox = self.sandbox()
        pipeline = self.mirror(sandbox)
        for step in -300, -660, -7200, 86400, -86400 * 3, 0:
            with self.subTest(step):
                with open(steps, 'r+b') as f:
                    f.write(struct.pack('<q', step))
                self.change(sandbox, 40)
                self.arrives(pipeline, sandbox)

    def check_kills(self, kills, postgres):
        sandbox = self.sandbox('--latency', '30', deals=3000)
        pipeline = self.mirror(sandbox, postgres=postgres, WRITERS=2)
        pipeline.expect(*WARNINGS)
        for n in range(kills):
            self.change(sandbox, 120)
            time.sleep(self.random.uniform(0.2, 1.2))
            pipeline.kill(SERVICES[n % len(SERVICES)])
        self.arrives(pipeline, sandbox, 120)
        truth.check(self, pipeline, sandbox, ENTITIES)

    def test_killed_services(self):
        self.check_kills(12, False)

    if ALL:
        def test_killed_services_with_postgres(self):
            self.check_kills(8, True)


if __name__ == '__main__':
    unittest.main()
