"""Records that no portal should give: too large, too wide, with values of the wrong kind. Each is set aside alone, with its reason,
and copied when it is well again."""
import unittest

from support import truth
from support.harness import wait_for
from support.hostile import document, first_record, text
from support.stubborn import DEALS, Stubborn, record_of


def refused(one, code, words):
    """The get of one record is refused."""
    def change(answer):
        for key, command in list(asked.items()):
            if command == 'crm.deal.get?id=%d' % one:
                result = answer['result']
                result['result'] = {k: v for k, v in dict(result['result'] or {}).items() if k != key}
                result['result_error'] = dict(dict(result['result_error'] or {}), **{key: {'error': code, 'error_description': words}})
    asked = {}

    def trouble(call):
        asked.clear()
        asked.update(call.commands)
        document(change)(call)
    return trouble


class Records(Stubborn):
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

    def test_a_record_that_is_too_large_takes_no_neighbour_along(self):
        """It is on the first page, where a portal begins when it is asked what follows the fiftieth of a page that has fewer."""
        sandbox, portal, pipeline = self.open(ANSWER_MAX_BYTES=2 << 20)
        one = sorted(sandbox.truth('deals'))[3]
        portal.strike(record_of(one, TITLE='x' * (4 << 20)), None, DEALS)
        self.begin(pipeline, 'deals')
        self.assertEqual('partial', self.ended(pipeline, 'deals', seconds=80)['deals']['state'])
        self.assertEqual([one], [r['id'] for r in pipeline.query('SELECT DISTINCT id FROM potok_reject')])
        self.assertEqual([], [d for d in truth.differences(pipeline, sandbox, 'deals') if d[1] != one])
        self.well_again(portal, pipeline, sandbox)

    def test_a_get_refused_in_words_that_nobody_knows_is_told_and_waits(self):
        """The row stays, potok_reject holds the portal's words, and the others that are gone are found meanwhile."""
        sandbox, portal, pipeline = self.open()
        pipeline.sync('deals')
        one, *others = sorted(sandbox.truth('deals'))[137:141]
        for gone in (one, *others):
            self.assertEqual(200, sandbox.answer_of(sandbox.url + 'crm.deal.delete?id=%d' % gone)[0])
        portal.strike(refused(one, '', 'Etwas ist schiefgegangen'), None, 'crm.deal.get', 'get')
        self.assertEqual(0, pipeline.potok('sync', 'deals', '--deletions').returncode)
        reason = wait_for(lambda: pipeline.query("SELECT reason FROM potok_reject WHERE field = '' AND id = ?", one),
                          'the reason in potok_reject', 90)[0][0]
        self.assertIn('Etwas ist schiefgegangen', reason)
        deleted = 'SELECT id FROM crm_deals WHERE _deleted_at IS NOT NULL ORDER BY id'
        self.assertEqual(others, [r['id'] for r in pipeline.query(deleted)])
        mark, = pipeline.query('SELECT tries, not_before_ms FROM potok_mark WHERE id = ?', one)
        self.assertGreater(mark['tries'], 1)
        self.assertEqual(1, len(pipeline.query('SELECT id FROM potok_mark')))
        portal.clear()
        pipeline.potok('sync', 'deals', '--id', str(one))
        wait_for(lambda: [one, *others] == [r['id'] for r in pipeline.query(deleted)], 'it is known as gone', 60)
        self.assertEqual([], pipeline.query('SELECT * FROM potok_reject'))

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


if __name__ == '__main__':
    unittest.main()
