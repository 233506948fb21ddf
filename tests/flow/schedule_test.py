"""Full syncs begin by themselves: by interval, by schedule, never; each entity as potok.yaml says."""
import os
import unittest

from support.harness import Scenario, wait_for


class Schedules(Scenario):
    def start(self, text, **more):
        sandbox = self.sandbox(deals=60, contacts=10, companies=10, leads=10)
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    url: %s\n%s' % (sandbox.url, text))
        return self.pipeline(sandbox, POTOK_CONFIG=path, BITRIX_WEBHOOK_URL='', **more).start()

    def runs(self, pipeline, entity):
        return [row['started_ms'] for row in pipeline.query(
            "SELECT started_ms FROM potok_run WHERE entity = ? AND state = 'done' ORDER BY id", entity)]

    def test_each_entity_has_its_own_interval(self):
        pipeline = self.start('    entities: [{deals: {interval: 10s}}, {contacts: {interval: never}}, leads]\n')
        wait_for(lambda: len(self.runs(pipeline, 'deals')) >= 3, 'deals are read anew', 60)
        times = self.runs(pipeline, 'deals')
        for earlier, later in zip(times, times[1:]):
            self.assertTrue(10000 <= later - earlier <= 15000, times)
        self.assertEqual(([], []), (self.runs(pipeline, 'contacts'), self.runs(pipeline, 'leads')))

    def test_a_schedule_begins_at_its_minute(self):
        pipeline = self.start('    schedule: "* * * * *"\n    zone: Asia/Kathmandu\n    entities: [deals]\n')
        wait_for(lambda: len(self.runs(pipeline, 'deals')) >= 2, 'the minute begins', 90)
        first, second = self.runs(pipeline, 'deals')[:2]
        self.assertLess(second % 60000, 5000, 'a full minute')
        self.assertGreater(second, first, 'the first was due at once: there was nothing')

    def test_a_wrong_schedule_is_told_with_its_place(self):
        sandbox = self.sandbox(deals=1, contacts=1, companies=1, leads=1)
        path = os.path.join(self.folder, 'potok.yaml')
        for text, why in (('schedule: "0 25 * * *"', '4:5: schedule: "25" is no hour: 0-23'), ('zone: Mars/Base', '4:5: zone: no time zone')):
            with open(path, 'w') as f:
                f.write('portals:\n  main:\n    url: %s\n    %s\n' % (sandbox.url, text))
            answer = self.pipeline(None).potok('config', 'check', path)
            self.assertEqual(1, answer.returncode)
            self.assertIn(why, answer.stderr + answer.stdout)


if __name__ == '__main__':
    unittest.main()
