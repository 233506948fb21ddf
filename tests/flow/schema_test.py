"""Columns follow the portal's own description; new fields add columns; what does not fit is kept apart with its reason."""
import unittest

from support import truth
from support.harness import ENTITIES, Scenario


class Schema(Scenario):
    def test_a_new_field_adds_a_column_by_itself(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        untouched = pipeline.query('SELECT * FROM crm_contacts ORDER BY id')
        for kind, multiple in (('string', 'N'), ('double', 'N'), ('datetime', 'N'), ('enumeration', 'Y'), ('money', 'N')):
            sandbox.post('field?entity=deals', {'name': 'UF_CRM_NEW_' + kind.upper(), 'type': kind, 'multiple': multiple == 'Y'})
        pipeline.sync()
        truth.check(self, pipeline, sandbox, ENTITIES)
        names = {r['name'] for r in pipeline.query("SELECT name FROM pragma_table_info('crm_deals')")}
        for name in 'uf_crm_new_string', 'uf_crm_new_double', 'uf_crm_new_money', 'uf_crm_new_money_currency':
            self.assertIn(name, names)
        self.assertEqual([tuple(r) for r in untouched],
                         [tuple(r) for r in pipeline.query('SELECT * FROM crm_contacts ORDER BY id')])

    def test_a_field_that_appears_during_a_sync(self):
        sandbox = self.sandbox('--latency', '80', deals=6000)
        pipeline = self.pipeline(sandbox).start()
        pipeline.expect('job.retry')
        pipeline.potok('sync', 'deals', '--full')
        sandbox.post('field?entity=deals', {'name': 'UF_CRM_LATE', 'type': 'integer', 'multiple': False})
        pipeline.sync('deals')
        pipeline.sync('deals')
        truth.check(self, pipeline, sandbox, ['deals'])

    def test_a_value_that_does_not_fit_leaves_its_record_whole(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox).start()
        some = sorted(sandbox.truth('deals'))[5]
        title = sandbox.truth('deals')[some]['title']
        wrong = {'BEGINDATE': 'не дата', 'PROBABILITY': '99999999999999999999', 'OPPORTUNITY': 'много'}
        for name, value in wrong.items():
            sandbox.post('set?entity=deals&id=%d&raw=1' % some, {name: value})
        pipeline.sync('deals')
        row = pipeline.query('SELECT title, begindate, probability, opportunity FROM crm_deals WHERE id = ?', some)[0]
        self.assertEqual((title, None, None, None), tuple(row))
        rejects = pipeline.query('SELECT field, value, reason FROM potok_reject WHERE entity = ? AND id = ?', 'deals', some)
        self.assertEqual(wrong, {r['field']: r['value'] for r in rejects})
        for reject in rejects:
            self.assertTrue(reject['reason'])
        sandbox.post('set?entity=deals&id=%d' % some, {'BEGINDATE': '2024-08-30T03:00:00+03:00', 'PROBABILITY': '50',
                                                       'OPPORTUNITY': '12.50'})
        pipeline.sync('deals')
        self.assertEqual([], pipeline.query('SELECT * FROM potok_reject WHERE id = ?', some))
        truth.check(self, pipeline, sandbox, ['deals'])

    def test_decimals_are_exact(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox).start()
        some = sorted(sandbox.truth('deals'))[9]
        for value in '12345678901234567.89', '0.1', '-1', '1000000.00', '99999999999999999999999999.999999':
            sandbox.post('set?entity=deals&id=%d' % some, {'OPPORTUNITY': value})
            pipeline.sync('deals')
            truth.check(self, pipeline, sandbox, ['deals'])


if __name__ == '__main__':
    unittest.main()
