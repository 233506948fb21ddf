"""What is gone is found by listing all ids, 2,500 a call, and confirmed by the portal; no row of the others is touched."""
import datetime
import json
import unittest
import urllib.request

from support import truth
from support.harness import ENTITIES, Scenario, wait_for


class Sweep(Scenario):
    def exact(self, pipeline, sandbox):
        wait_for(lambda: not any(truth.differences(pipeline, sandbox, e, 1) for e in ENTITIES), 'the mirror is exact', 60, 0.2)

    def sweep(self, pipeline, *entities):
        answer = pipeline.potok('sync', *entities, '--deletions')
        self.assertEqual(0, answer.returncode, answer.stderr)
        return answer.stdout

    def swept(self, pipeline):
        rows = pipeline.query("SELECT entity, at_ms FROM potok_cursor WHERE name = 'swept'")
        return {row['entity']: row['at_ms'] for row in rows}

    def test_deletions_and_what_was_never_seen(self):
        sandbox = self.sandbox(deals=6000)
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        versions = pipeline.query('SELECT id, _hi, _written_at FROM crm_deals ORDER BY id')
        sandbox.post('change?entity=deals&count=70&kind=delete')
        sandbox.post('change?entity=contacts&count=30&kind=delete')
        sandbox.post('change?entity=leads&count=40&kind=create')
        self.assertEqual(4, self.sweep(pipeline).count('\n'))
        self.exact(pipeline, sandbox)
        gone = {row['id'] for row in pipeline.query('SELECT id FROM crm_deals WHERE _deleted_at IS NOT NULL')}
        self.assertEqual(70, len(gone))
        self.assertEqual([tuple(v) for v in versions if v['id'] not in gone], [tuple(v) for v in pipeline.query(
            'SELECT id, _hi, _written_at FROM crm_deals WHERE _deleted_at IS NULL ORDER BY id')], 'others are as they were')

    def test_what_was_imported_with_times_of_its_own(self):
        """It changed before anybody looked, and no event tells of it: only its number is new."""
        sandbox = self.sandbox(contacts=300)
        pipeline = self.pipeline(sandbox, SYNC_INCREMENTAL_SECONDS=1).start()
        pipeline.sync()
        long_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=5)
        fields = {'NAME': 'Импорт', 'DATE_CREATE': long_ago.isoformat('T', 'seconds'), 'DATE_MODIFY': long_ago.isoformat('T', 'seconds')}
        status, answer = sandbox.answer_of(urllib.request.Request(
            sandbox.url + 'crm.contact.add', json.dumps({'fields': fields, 'params': {'IMPORT': 'Y'}}).encode(),
            {'Content-Type': 'application/json'}))
        self.assertEqual(200, status, answer)
        imported = answer['result']
        self.assertEqual(long_ago.strftime('%Y-%m-%dT%H:%M:%SZ'), sandbox.truth('contacts')[imported]['date_modify'])
        other = min(sandbox.truth('contacts'))
        sandbox.post('set?entity=contacts&id=%d' % other, {'NAME': 'Позже'})
        row = 'SELECT id FROM crm_contacts WHERE id = ? AND name = ?'
        wait_for(lambda: pipeline.query(row, other, 'Позже'), 'what changed behind it is found by its time', 30)
        self.assertEqual([], pipeline.query(row, imported, 'Импорт'))
        self.sweep(pipeline, 'contacts')
        self.exact(pipeline, sandbox)

    def test_few_calls_and_nothing_to_do(self):
        sandbox = self.sandbox(deals=6000)
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        before = sandbox.stats()['requests']
        self.sweep(pipeline, 'deals')
        wait_for(lambda: 'deals' in self.swept(pipeline), 'the sweep ends')
        self.assertLessEqual(sandbox.stats()['requests'] - before, 4)
        self.assertEqual(0, pipeline.status()['marks'])

    def test_it_does_not_go_with_other_orders(self):
        answer = self.pipeline(None).potok('sync', 'deals', '--deletions', '--id', '7')
        self.assertEqual(2, answer.returncode)
        self.assertIn('--deletions', answer.stderr)

    def test_kills(self):
        sandbox = self.sandbox('--latency', '40', deals=6000)
        pipeline = self.pipeline(sandbox, WRITERS=2).start()
        pipeline.expect('service.died', 'job.given_up', 'job.retry', 'bus.peer_lost', 'fetcher.lost')
        pipeline.sync()
        for service in 'writer', 'fetcher', 'mapper', 'scheduler':
            sandbox.post('change?entity=deals&count=20&kind=delete')
            wait_for(lambda: pipeline.potok('sync', 'deals', '--deletions').returncode == 0, 'it is ordered')
            pipeline.kill(service)
        wait_for(lambda: pipeline.potok('sync', '--deletions').returncode == 0, 'it is ordered')
        self.exact(pipeline, sandbox)


if __name__ == '__main__':
    unittest.main()
