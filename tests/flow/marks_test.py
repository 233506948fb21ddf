"""Marks: thousands of edits gather into few calls, and what reads show late is looked at once more."""
import http.client
import json
import time
import unittest

from support import truth
from support.harness import Scenario, wait_for

KEY = 'api-key-' + 'k' * 32


class Hooks:
    """A program that tells the gateway of deals, many at a time, over one connection."""

    def __init__(self, pipeline):
        address = wait_for(lambda: self.find(pipeline), 'the gateway listens')
        self.connection = http.client.HTTPConnection(address, timeout=30)

    def find(self, pipeline):
        for line in pipeline.log():
            if line.get('event') == 'gateway.listening':
                return line['details']['address']

    def tell(self, ids, event='ONCRMDEALUPDATE'):
        for n in range(0, len(ids), 50):
            body = json.dumps([{'event': event, 'data': {'FIELDS': {'ID': i}}} for i in ids[n:n + 50]])
            self.connection.request('POST', '/webhook/deal', body, {'Content-Type': 'application/json', 'X-API-Key': KEY})
            answer = self.connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise AssertionError('%d %r' % (answer.status, text))


class Marks(Scenario):
    def start(self, deals=300, **more):
        sandbox = self.sandbox(**dict(dict(deals=deals, contacts=5, companies=5, leads=5), **more))
        pipeline = self.pipeline(sandbox, API_KEY=KEY, BITRIX_TARIFF='standard').start()
        pipeline.sync()
        hooks = Hooks(pipeline)
        self.addCleanup(hooks.connection.close)
        return sandbox, pipeline, hooks

    def mark(self, pipeline, record):
        rows = pipeline.query('SELECT * FROM potok_mark WHERE id = ?', record)
        return dict(rows[0]) if rows else None

    def row(self, pipeline, record):
        rows = pipeline.query('SELECT title, _deleted_at FROM crm_deals WHERE id = ?', record)
        return dict(rows[0]) if rows else None

    def at_rest(self, pipeline):
        return pipeline.query("SELECT 1 FROM potok_mark UNION ALL SELECT 1 FROM potok_job WHERE state = 'open'") == []

    def test_ten_thousand_edits_of_two_thousand_deals_cost_few_calls_and_no_refusal(self):
        sandbox, pipeline, hooks = self.start(deals=2000, tariff='standard')
        ids = sorted(sandbox.truth('deals'))
        wait_for(lambda: self.at_rest(pipeline), 'the first sync is over')
        before, began = sandbox.stats(), time.monotonic()
        for second in range(10):
            sandbox.post('change?entity=deals&count=1000&kind=update')
            for part in range(5 if second < 9 else 0):
                hooks.tell([self.random.choice(ids) for _ in range(888 // 5)])
                time.sleep(max(0, began + second + (part + 1) / 5 - time.monotonic()))
        hooks.tell(ids)     # each was changed once more, as far as anybody knows
        wait_for(lambda: self.waiting(pipeline) == 0 and self.at_rest(pipeline), 'everything is served', 30)
        after = sandbox.stats()
        calls = after['requests'] - before['requests']
        print('edits in %.1f s: %d calls' % (time.monotonic() - began, calls))
        self.assertEqual(0, after['refused_503'] - before['refused_503'])
        self.assertLessEqual(calls, 25)
        truth.check(self, pipeline, sandbox, ['deals'])

    def waiting(self, pipeline):
        return sum(s.get('detail', {}).get('waiting', 0) for s in pipeline.status()['services'] if s['service'] == 'gateway')

    def test_an_update_that_reads_show_late_is_a_row_two_seconds_later(self):
        sandbox, pipeline, hooks = self.start()
        record = sorted(sandbox.truth('deals'))[0]
        hooks.tell([record])    # the event is here, reads do not show the change yet
        wait_for(lambda: (self.mark(pipeline, record) or {}).get('again') == 0, 'it was read and nothing had changed', 10, 0.01)
        sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'late'})
        began = time.monotonic()
        wait_for(lambda: self.row(pipeline, record)['title'] == 'late', 'the second look finds it', 10, 0.01)
        print('second look: %.3f s' % (time.monotonic() - began))
        self.assertLess(time.monotonic() - began, 4)
        wait_for(lambda: self.at_rest(pipeline), 'and that was the last one', 10)

    def test_a_new_deal_that_reads_show_late_is_not_believed_gone(self):
        sandbox, pipeline, hooks = self.start()
        record = max(sandbox.truth('deals')) + 1
        hooks.tell([record], 'ONCRMDEALADD')
        wait_for(lambda: (self.mark(pipeline, record) or {}).get('again') == 0, 'the portal does not know it', 10, 0.01)
        sandbox.post('change?entity=deals&count=1&kind=create')
        self.assertEqual(record, max(sandbox.truth('deals')))
        wait_for(lambda: self.row(pipeline, record)['title'], 'the second look finds it', 10)
        wait_for(lambda: self.at_rest(pipeline), 'the marks are served', 10)
        truth.check(self, pipeline, sandbox, ['deals'])

    def test_a_portal_whose_reads_lag_is_followed_all_the_same(self):
        sandbox, pipeline, hooks = self.start()
        sandbox.post('lag?entity=deals&ms=1500')
        ids = sorted(sandbox.truth('deals'))[:20]
        known = set(sandbox.truth('deals'))
        for record in ids:
            sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'lag %d' % record})
        sandbox.post('change?entity=deals&count=1&kind=create')
        new = max(known) + 1
        hooks.tell(ids)
        hooks.tell([new], 'ONCRMDEALADD')
        began = time.monotonic()
        wait_for(lambda: all(self.row(pipeline, i)['title'] == 'lag %d' % i for i in ids), 'the changes are rows', 15)
        wait_for(lambda: (self.row(pipeline, new) or {}).get('title'), 'the new deal is a row', 15)
        self.assertLess(time.monotonic() - began, 8)
        wait_for(lambda: self.at_rest(pipeline), 'the marks are served', 10)
        truth.check(self, pipeline, sandbox, ['deals'])

    def test_a_deal_that_never_was_comes_to_rest(self):
        sandbox, pipeline, hooks = self.start()
        record = max(sandbox.truth('deals')) + 1000
        hooks.tell([record], 'ONCRMDEALADD')
        hooks.tell([record + 1], 'ONCRMDEALDELETE')
        for one in record, record + 1:
            wait_for(lambda: (self.mark(pipeline, one) or {}).get('again') == 0, 'it was asked for', 20, 0.01)
        wait_for(lambda: self.at_rest(pipeline), 'and once more, not for ever', 20)
        wait_for(lambda: not self.row(pipeline, record) and not self.row(pipeline, record + 1), 'nothing is left of them', 10)
        truth.check(self, pipeline, sandbox, ['deals'])

    def test_single_records_are_read_again_on_demand(self):
        sandbox, pipeline, hooks = self.start()
        ids = sorted(sandbox.truth('deals'))[:3]
        for record in ids:
            sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'by hand %d' % record})
        answer = pipeline.potok('sync', 'deals', '--id', ','.join(str(i) for i in ids), '--wait')
        self.assertEqual((0, 'records read again: 3\n'), (answer.returncode, answer.stdout), answer.stderr)
        for record in ids:
            self.assertEqual('by hand %d' % record, self.row(pipeline, record)['title'])
        self.assertEqual(0, pipeline.potok('sync', 'deal', '--id', str(10 ** 9), '--wait').returncode, 'not there is an answer')
        for wrong in ('deals', '--id', '0'), ('deals', '--id', 'x'), ('--id', '1'), ('deals', 'leads', '--id', '1'):
            self.assertEqual(2, pipeline.potok('sync', *wrong).returncode, wrong)
        self.assertEqual(1, len(pipeline.query("SELECT DISTINCT kind FROM potok_run")), 'no sync was begun')

    def test_a_paused_entity_is_left_alone_over_restarts_and_loses_nothing(self):
        sandbox, pipeline, hooks = self.start()
        pipeline.expect('service.died', 'fetcher.lost', 'job.given_up')
        ids = sorted(sandbox.truth('deals'))[:5]
        self.assertIn('deals', pipeline.potok('pause', 'deals').stdout)
        self.assertRegex(pipeline.potok('status').stdout, r'main/deals \(paused\)')
        self.assertEqual('paused already: main/deals\n', pipeline.potok('pause', 'deals').stdout)
        self.assertEqual('was not paused: main/leads\n', pipeline.potok('resume', 'leads').stdout)
        for record in ids:
            sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'paused %d' % record})
        hooks.tell(ids)
        wait_for(lambda: all(self.mark(pipeline, i) for i in ids), 'marks gather', 10)
        pid = pipeline.pid('scheduler')
        pipeline.kill('scheduler')
        wait_for(lambda: pipeline.pid('scheduler') not in (None, pid) and pipeline.status(), 'a new scheduler is there', 20)
        self.assertEqual(['deals'], wait_for(lambda: (pipeline.status().get('portals') or [{}])[0].get('paused'), 'it knows'))
        self.assertIn('deals', pipeline.potok('status').stdout.split('paused', 1)[1])
        answer = pipeline.potok('sync', 'deals')
        self.assertEqual(1, answer.returncode)
        self.assertIn('potok resume deals', answer.stderr)
        self.assertEqual(0, pipeline.potok('sync', '--wait').returncode, 'the others are synced')
        self.assertTrue(all(self.mark(pipeline, i) for i in ids), 'nothing was asked meanwhile')
        told = pipeline.potok('resume')
        self.assertEqual((0, 'going on: main/deals\n'), (told.returncode, told.stdout))
        self.assertEqual('nothing was paused\n', pipeline.potok('resume').stdout)
        told = json.loads(pipeline.potok('pause', 'leads', '--json').stdout)
        self.assertEqual({'paused': [{'portal': 'main', 'entity': 'leads'}], 'already': []}, told)
        self.assertEqual({'resumed': told['paused'], 'already': []}, json.loads(pipeline.potok('resume', 'leads', '--json').stdout))
        wait_for(lambda: self.row(pipeline, ids[4])['title'] == 'paused %d' % ids[4], 'what gathered is served', 10)
        wait_for(lambda: self.at_rest(pipeline), 'all of it', 10)
        truth.check(self, pipeline, sandbox, ['deals'])


if __name__ == '__main__':
    unittest.main()
