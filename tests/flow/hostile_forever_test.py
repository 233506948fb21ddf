"""Portals that stay hostile, until they are well again: nothing wrong is committed meanwhile, what can be read is read, the operator
is told, and afterwards the mirror is exact."""
import re
import socket
import threading
import unittest

from support import truth
from support.harness import ENTITIES, Scenario, wait_for
from support.hostile import Hostile, asks_by_get, bomb, document, first_record, pages, redirect, text

TROUBLED = ('job.retry', 'job.given_up', 'portal.unwell', 'portal.refused', 'portal.stopped', 'answer.nonsense', 'record.aside',
            'sync.failed', 'run.failed', 'log.repeated')
DEALS = 'crm.deal.list'


def record_of(one, **values):
    """One record, wherever it is listed, with other values."""
    def change(answer):
        for page in pages(answer).values():
            for record in page:
                if record['ID'] == str(one):
                    record.update(values)
    return document(change)


class Forever(Scenario):
    def open(self, **environment):
        sandbox = self.sandbox(deals=300, contacts=100, companies=60, leads=60)
        portal = Hostile(sandbox)
        self.addCleanup(portal.__exit__)
        pipeline = self.pipeline(None, **dict(dict(BITRIX_WEBHOOK_URL=portal.url, LOG_LEVEL='DEBUG', BITRIX_TARIFF='1000/5000'),
                                              **environment))
        pipeline.expect(*TROUBLED)
        pipeline.start()
        return sandbox, portal, pipeline

    def begin(self, pipeline, *entities):
        self.assertEqual(0, pipeline.potok('sync', *entities, '--full').returncode)

    def runs(self, pipeline):
        """The last run of each entity."""
        return {run['entity']: run for run in (pipeline.status() or {'runs': []})['runs']}

    def ended(self, pipeline, *entities, seconds=60):
        def all_ended():
            runs = self.runs(pipeline)
            return all(runs[e]['state'] not in ('open', 'probing') for e in entities) and runs
        return wait_for(all_ended, 'the end of the runs of %s' % (entities,), seconds)

    def peak(self, pipeline, service='fetcher'):
        with open('/proc/%d/status' % pipeline.pid(service)) as f:
            return int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1)) // 1024

    def well_again(self, portal, pipeline, sandbox):
        portal.clear()
        wait_for(lambda: all(r['state'] not in ('open', 'probing') for r in self.runs(pipeline).values()), 'runs end')
        pipeline.sync(timeout=90)
        truth.check(self, pipeline, sandbox, ENTITIES)

    def is_told(self, pipeline, *words, seconds=60):
        """`potok status` says it."""
        def told():
            said = pipeline.potok('status').stdout
            return all(word in said for word in words) and said
        return wait_for(told, 'potok status to say %s' % (words,), seconds)

    def test_a_page_that_repeats_for_ever_harms_its_own_entity_alone(self):
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        first = []

        def repeat(answer):
            results = pages(answer)
            first.extend(results['p00'] if not first else [])
            for key in results:
                answer['result']['result'][key] = first
        portal.strike(document(repeat), None, DEALS)
        sandbox.post('change?count=60&kind=mix')
        self.begin(pipeline)
        self.ended(pipeline, 'contacts', 'companies', 'leads')
        truth.check(self, pipeline, sandbox, ['contacts', 'companies', 'leads'])
        self.is_told(pipeline, 'nonsense', 'in a list by id')
        self.well_again(portal, pipeline, sandbox)

    def test_a_bomb_for_ever_is_waited_out(self):
        sandbox, portal, pipeline = self.open(ANSWER_MAX_BYTES=4 << 20)
        pipeline.sync()
        portal.strike(bomb(64), None, only=None)
        sandbox.post('change?count=60&kind=mix')
        self.begin(pipeline)
        self.is_told(pipeline, 'larger than 4194304 bytes, more than 50 times')
        self.assertLess(self.peak(pipeline), 96)
        self.well_again(portal, pipeline, sandbox)

    def test_a_renamed_portal_is_named_and_not_given_the_secret(self):
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        with socket.create_server(('127.0.0.1', 0)) as stranger:
            met = []
            threading.Thread(target=lambda: met.append(stranger.accept()), daemon=True).start()
            to = 'http://localhost:%d' % stranger.getsockname()[1]
            for kind in 301, 302, 307, 308:
                portal.strike(redirect(to, kind), None, only=None)
                sandbox.post('change?count=10&kind=update')
                done = pipeline.potok('sync', '--full', '--wait', timeout=60)
                self.assertEqual(1, done.returncode)
                said = pipeline.potok('status').stdout
                self.assertIn('stopped', said)
                self.assertIn('renamed to ' + to[7:], said)
                self.assertIn("set the URL of the portal's new address", said)
                self.well_again(portal, pipeline, sandbox)
            self.assertEqual([], met, 'nobody was sent there')

    def test_a_record_that_is_too_large_is_set_aside_alone(self):
        sandbox, portal, pipeline = self.open(ANSWER_MAX_BYTES=2 << 20)
        one = sorted(sandbox.truth('deals'))[137]
        portal.strike(record_of(one, TITLE='x' * (20 << 20)), None, DEALS)
        self.begin(pipeline, 'deals')
        run = self.ended(pipeline, 'deals', seconds=80)['deals']
        self.assertEqual('partial', run['state'])
        self.assertEqual([one], [r['id'] for r in pipeline.query("SELECT id FROM potok_reject WHERE field = '' AND reason LIKE '%larger than%'")])
        found = truth.differences(pipeline, sandbox, 'deals')
        self.assertEqual([], [d for d in found if d[1] != one])
        self.assertLess(self.peak(pipeline), 96)
        self.is_told(pipeline, 'partial')
        self.well_again(portal, pipeline, sandbox)

    def test_a_large_record_is_copied_whole(self):
        sandbox, portal, pipeline = self.open()
        one = sorted(sandbox.truth('deals'))[137]
        portal.strike(record_of(one, TITLE='x' * (20 << 20)), None, DEALS)
        pipeline.sync('deals')
        self.assertEqual(20 << 20, pipeline.query('SELECT length(title) FROM crm_deals WHERE id = ?', one)[0][0])
        self.assertLess(self.peak(pipeline), 256)
        self.well_again(portal, pipeline, sandbox)

    def test_values_of_the_wrong_kind_are_set_aside_one_by_one(self):
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        wrong = {'OPPORTUNITY': 'a lot', 'ASSIGNED_BY_ID': 'nobody', 'BEGINDATE': '2024-13-45', 'DATE_CREATE': 'yesterday',
                 'COMPANY_ID': '99999999999999999999', 'OPENED': 'perhaps', 'PROBABILITY': '1e400', 'TAX_VALUE': [1], 'CLOSED': {'a': 1}}
        portal.strike(first_record(lambda record: record.update(wrong)), None, DEALS)
        pipeline.sync('deals')
        rejected = {(r['id'], r['field']) for r in pipeline.query("SELECT id, field FROM potok_reject WHERE entity = 'deals' AND field <> ''")}
        self.assertEqual({f for _, f in rejected}, set(wrong))
        for entity, i, column, got, _ in truth.differences(pipeline, sandbox, 'deals', most=1000):
            self.assertIn((i, column.upper()), rejected)
            self.assertIsNone(got, 'what does not fit is NULL')
        self.well_again(portal, pipeline, sandbox)

    def test_texts_that_are_no_text_harm_nothing_else(self):
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        for name, change in (('bytes', lambda body: body.replace(b'"TITLE":"', b'"TITLE":"\xff\xfe\xc0\x80')),
                             ('half a sign', lambda body: body.replace(b'"TITLE":"', b'"TITLE":"\\ud83d')),
                             ('a key twice', lambda body: body.replace(b'"TITLE":"', b'"TITLE":"first","TITLE":"')),
                             ('NUL', lambda body: body.replace(b'"TITLE":"', b'"TITLE":"\\u0000'))):
            with self.subTest(name):
                strike = portal.strike(text(change), None, DEALS)
                pipeline.sync('deals')
                self.assertGreater(strike.struck, 0)
                found = truth.differences(pipeline, sandbox, 'deals', most=100000)
                self.assertEqual({'title'}, {d[2] for d in found})
                portal.clear()
        self.well_again(portal, pipeline, sandbox)

    def test_ten_thousand_fields_in_a_record_do_not_widen_the_table(self):
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        columns = "SELECT count(*) FROM pragma_table_info('crm_deals')"
        before, one = pipeline.query(columns)[0][0], sorted(sandbox.truth('deals'))[137]
        many = {'UF_CRM_X%d' % i: i for i in range(10000)}
        portal.strike(record_of(one, **many), None, DEALS)
        self.begin(pipeline, 'deals')
        self.assertEqual('partial', self.ended(pipeline, 'deals', seconds=80)['deals']['state'])
        self.assertEqual([one], [r['id'] for r in pipeline.query("SELECT id FROM potok_reject WHERE field = '' AND reason LIKE '%64 fields%'")])
        portal.clear()

        portal.strike(first_record(lambda record: record.update(many)), None, DEALS)
        self.begin(pipeline, 'deals')
        run = self.ended(pipeline, 'deals', seconds=80)['deals']
        self.assertEqual('failed', run['state'])
        self.assertIn('more than 64 fields', run['error'])
        self.assertEqual(before, pipeline.query(columns)[0][0])
        self.well_again(portal, pipeline, sandbox)

    def test_an_empty_text_does_not_flip_between_lists_and_gets(self):
        """A list prints it as null, a get as ''."""
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        rows = {r['id']: dict(r) for r in pipeline.query('SELECT * FROM crm_deals')}
        ids = sorted(rows)[100:140]
        self.assertIn(None, [rows[i]['uf_crm_string'] for i in ids])

        def leave_out(answer):
            for page in pages(answer).values():
                page[:] = [record for record in page if int(record['ID']) not in ids]
        portal.strike(document(leave_out), None, DEALS, only=None)
        pipeline.sync('deals')
        asked = {int(i) for c in portal.calls if asks_by_get(c) for i in re.findall(r'id=(\d+)', ' '.join(c.commands.values()))}
        self.assertEqual(set(ids), asked, 'a get decides about each')
        again = {r['id']: dict(r) for r in pipeline.query('SELECT * FROM crm_deals')}
        for i in ids:
            del rows[i]['_hi'], again[i]['_hi']
            self.assertEqual(rows[i], again[i], 'nothing is written')
        self.well_again(portal, pipeline, sandbox)

    def test_only_what_was_left_out_is_asked_for_again(self):
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        sandbox.post('change?entity=deals&count=12&kind=delete')

        def fail_some(answer):
            results, errors = answer['result']['result'], answer['result']['result_error']
            for key in ('p01', 'p04'):
                for part in results, errors:
                    if isinstance(part, dict):
                        part.pop(key, None)
            if isinstance(errors, dict):
                errors['p04'] = {'error': 'INTERNAL_SERVER_ERROR', 'error_description': 'x'}
        strike = portal.strike(document(fail_some), 1, only='get')
        pipeline.sync('deals')
        self.assertEqual(1, strike.struck)
        asked = [sorted(re.findall(r'id=(\d+)', ' '.join(c.commands.values()))) for c in portal.calls if asks_by_get(c)]
        self.assertEqual(12, len(asked[0]))
        self.assertEqual(2, len(asked[1]), 'of a batch answered in part only the rest')
        self.assertLess(set(asked[1]), set(asked[0]))
        truth.check(self, pipeline, sandbox, ['deals'])


if __name__ == '__main__':
    unittest.main()
