"""What was acknowledged is done, also when the scheduler dies before it has begun: a probe of changed fields, a sweep."""
import os
import unittest

from support import truth
from support.harness import Scenario, free_port, wait_for
from support.realtime import WARNINGS, Mirror

SIZES = dict(deals=120, contacts=20, companies=10, leads=10)
NEVER = dict(SYNC_DEFAULT_INTERVAL_MINUTES='0', SYNC_INCREMENTAL_SECONDS='0', SYNC_SWEEP_MINUTES='0')


class Wish(Scenario):
    def file(self):
        return os.path.join(self.folder, 'crash')

    def expect_death(self, pipeline):
        self.pipe = pipeline
        self.pipe.expect(*WARNINGS)

    def die_at(self, point):
        self.died = self.pipe.pid('scheduler')
        with open(self.file() + '.new', 'w') as f:
            f.write(point)
        os.rename(self.file() + '.new', self.file())

    def wait_for_successor(self):
        wait_for(lambda: not os.path.exists(self.file()), 'it dies')
        wait_for(lambda: self.pipe.pid('scheduler') not in (None, self.died), 'a successor', 20)

    def wishes(self):
        return [(r['entity'], r['name']) for r in self.pipe.query(
            "SELECT entity, name FROM potok_cursor WHERE name IN ('fields', 'sweep')")]

    def test_changed_fields_are_asked_for(self):
        mirror = Mirror(self, free_port(), relay=False, sizes=SIZES, for_up={'POTOK_CRASH_AT': self.file()}, **NEVER)
        self.expect_death(mirror.pipeline)
        self.die_at('scheduler.after_number')   # of the probe: nothing else is asked here
        mirror.sandbox.post('field?entity=deals', {'name': 'UF_CRM_LATE', 'type': 'string', 'fill': 0})
        self.wait_for_successor()
        wait_for(lambda: self.pipe.query("SELECT 1 FROM potok_field WHERE entity = 'deals' AND name = 'UF_CRM_LATE'"),
                 'the field is learnt', 20)
        self.assertEqual([], self.wishes())
        deal = min(mirror.sandbox.truth('deals'))
        mirror.sandbox.post('set?entity=deals&id=%d' % deal, {'UF_CRM_LATE': 'in time'})
        wait_for(lambda: not truth.differences(self.pipe, mirror.sandbox, 'deals', 1), 'it has its column', 20)

    def test_an_ordered_sweep_begins(self):
        sandbox = self.sandbox(**SIZES)
        self.expect_death(self.pipeline(sandbox, **NEVER).start(POTOK_CRASH_AT=self.file()))
        self.pipe.sync()
        sandbox.post('change?entity=deals&count=7&kind=delete')
        self.die_at('scheduler.before_changed')
        answer = self.pipe.potok('sync', 'deals', '--deletions')
        self.assertEqual(0, answer.returncode, answer.stderr)
        self.wait_for_successor()
        wait_for(lambda: len(self.pipe.query('SELECT id FROM crm_deals WHERE _deleted_at IS NOT NULL')) == 7,
                 'the deleted ones are found', 20)
        wait_for(lambda: not self.wishes(), 'it is no wish any more', 20)


if __name__ == '__main__':
    unittest.main()
