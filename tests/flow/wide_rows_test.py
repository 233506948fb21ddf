"""A record with more filled fields than a row of PostgreSQL has room for: the others are copied whole, and of this one what fits;
the rest is told in potok_reject, agrees with `potok verify`, and comes when there is room."""
import unittest

from support import truth
from support.engines import InPostgres
from support.harness import Scenario

FIELDS = ['UF_CRM_WIDE_%03d' % i for i in range(700)]


class WideRows(InPostgres, Scenario):
    def rejected(self, pipeline, one):
        return {r['field'] for r in pipeline.query('SELECT field FROM potok_reject WHERE id = %d' % one)}

    def agrees(self, pipeline):
        done = pipeline.potok('verify', 'deals')
        self.assertEqual(0, done.returncode, done.stdout[-2000:] + done.stderr)

    def check_but(self, pipeline, sandbox, one, left_out):
        found = truth.differences(pipeline, sandbox, 'deals', most=10000)
        self.assertEqual({(one, f) for f in left_out}, {(i, c.upper()) for _, i, c, _, _ in found})
        self.assertEqual({None}, {got for *_, got, _ in found})

    def test_what_has_no_room_is_set_aside_and_the_rest_of_the_record_is_there(self):
        sandbox = self.sandbox(deals=60, contacts=10, companies=10, leads=10)
        for name in FIELDS:
            sandbox.post('field?entity=deals', {'name': name, 'type': 'string', 'multiple': False, 'fill': 0})
        one, other = sorted(sandbox.truth('deals'))[20:22]
        sandbox.post('set?entity=deals&id=%d' % one, {name: 'a text that lies elsewhere: ' + name for name in FIELDS})
        sandbox.post('set?entity=deals&id=%d' % other, {name: 'short' for name in FIELDS})
        pipeline = self.mirror(sandbox, BITRIX_TARIFF='1000/5000').start()
        pipeline.sync()
        left_out = self.rejected(pipeline, one)
        self.assertTrue(200 < len(left_out) < 400, len(left_out))
        self.assertEqual(set(), self.rejected(pipeline, other))
        self.check_but(pipeline, sandbox, one, left_out)
        self.agrees(pipeline)
        pipeline.sync('deals')                                  # unchanged: told all the same
        self.assertEqual(left_out, self.rejected(pipeline, one))
        sandbox.post('set?entity=deals&id=%d' % one, {name: 'short' for name in FIELDS})
        pipeline.sync('deals')
        self.assertEqual(set(), self.rejected(pipeline, one))
        truth.check(self, pipeline, sandbox, ['deals'])
        self.agrees(pipeline)


if __name__ == '__main__':
    unittest.main()
