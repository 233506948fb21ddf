"""Records that no portal should give: too large, too wide, with values of the wrong kind. Each is set aside alone, with its reason,
and copied when it is well again."""
import unittest

from support import truth
from support.hostile import first_record, text
from support.stubborn import DEALS, Stubborn, record_of


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
