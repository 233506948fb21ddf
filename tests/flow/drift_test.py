"""The portal's fields change: it is noticed, recorded, shown, and the tables stay exact under every policy."""
import contextlib
import json
import os
import unittest

from support import truth
from support.harness import Scenario, wait_for
from support.killing import WARNINGS
from support.postgres import Server


class Story:
    """What the tests of both databases ask and do; `field` is one of the deals' unless said otherwise."""

    def portal(self, **sizes):
        return self.sandbox(**dict(dict(deals=300, contacts=120, companies=10, leads=10), **sizes))

    def field(self, sandbox, name, kind, multiple=False, fill=50, entity='deals'):
        sandbox.post('field?entity=' + entity, {'name': name, 'type': kind, 'multiple': multiple, 'fill': fill})

    def edit(self, sandbox, what, name, body=None, entity='deals'):
        sandbox.post('field/%s?entity=%s&name=%s' % (what, entity, name), body)

    def number(self, pipeline, sql):
        return int(list(dict(pipeline.query(sql)[0]).values())[0] or 0)

    def holding(self, pipeline, column, entity='deals'):
        """How many live rows have a value there."""
        return self.number(pipeline, 'SELECT count(*) AS n FROM crm_%s WHERE %s IS NOT NULL AND _deleted_at IS NULL'
                           % (entity, column))

    def columns(self, pipeline, entity='deals'):
        if pipeline.postgres:
            sql = "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'crm_%s'" % entity
        else:
            sql = "SELECT name FROM pragma_table_info('crm_%s')" % entity
        return {r['name'] for r in pipeline.query(sql)}

    def changes(self, pipeline, name):
        """Of one field, oldest first: [(what, was, now)]."""
        rows = pipeline.query("SELECT what, was, now FROM potok_field_change WHERE name = '%s' ORDER BY id" % name)
        return [(r['what'], r['was'], r['now']) for r in rows]

    def same(self, pipeline, sandbox, *entities, but=()):
        """Exact but for columns of fields that are gone, held or of another kind than their field."""
        for entity in entities or ('deals',):
            found = [d for d in truth.differences(pipeline, sandbox, entity, most=10 ** 9) if d[2] not in but]
            self.assertEqual([], found[:10], '%s differ from the portal' % entity)

    def recreated(self, pipeline, sandbox):
        """A field is deleted and made anew under its name: nothing of the first may be left."""
        self.field(sandbox, 'UF_CRM_SUM', 'money')
        pipeline.sync('deals')
        before = self.holding(pipeline, 'uf_crm_sum')
        self.assertGreater(before, 50)
        ghost = sorted(sandbox.truth('deals'))[0]
        self.edit(sandbox, 'delete', 'UF_CRM_SUM')
        pipeline.sync('deals')
        self.assertEqual(before, self.holding(pipeline, 'uf_crm_sum'), 'values stay while the field is gone')
        self.assertEqual(before, self.holding(pipeline, 'uf_crm_sum_currency'))
        self.same(pipeline, sandbox, but=('uf_crm_sum', 'uf_crm_sum_currency'))
        self.field(sandbox, 'UF_CRM_SUM', 'money', fill=0)
        sandbox.post('set?entity=deals&id=%d' % ghost, {'UF_CRM_SUM': '12.50|EUR'})
        pipeline.sync('deals')
        self.assertEqual(1, self.holding(pipeline, 'uf_crm_sum'))
        self.same(pipeline, sandbox)
        self.assertEqual([('added', None, 'money'), ('gone', 'money', None), ('back', None, 'money')],
                         self.changes(pipeline, 'UF_CRM_SUM'))

    def frozen_then_accepted(self, pipeline, sandbox):
        self.field(sandbox, 'UF_CRM_NEW', 'string', multiple=True)
        pipeline.sync('deals')
        self.assertNotIn('uf_crm_new', self.columns(pipeline))
        self.same(pipeline, sandbox, but=('uf_crm_new',))
        self.assertEqual(0, self.number(pipeline, "SELECT count(*) AS n FROM potok_reject WHERE field = 'UF_CRM_NEW'"))
        runs = self.number(pipeline, 'SELECT max(id) AS n FROM potok_run')
        self.accept(pipeline, 'deals', 'UF_CRM_NEW')
        self.finished(pipeline, runs)
        self.same(pipeline, sandbox)
        self.assertIn('uf_crm_new', self.columns(pipeline))

    def accept(self, pipeline, entity, *fields):
        done = pipeline.potok('schema', 'accept', entity, *fields)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def finished(self, pipeline, after):
        """A run begun by itself after run number `after` ended well."""
        wait_for(lambda: self.number(pipeline, "SELECT count(*) AS n FROM potok_run WHERE id > %d AND state = 'done'" % after),
                 'the sync of the accepted field ends')


class Drift(Story, Scenario):
    def configured(self, sandbox, text, **more):
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write(text)
        return self.pipeline(sandbox, POTOK_CONFIG=path, **more)

    def test_the_first_look_changes_nothing(self):
        sandbox = self.portal()
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        pipeline.sync()
        self.assertEqual(0, self.number(pipeline, 'SELECT count(*) FROM potok_field_change'))
        self.assertEqual([], pipeline.status()['drift']['entities'])
        row = pipeline.query("SELECT title, items FROM potok_field WHERE entity = 'deals' AND name = 'UF_CRM_ENUM_M'")[0]
        self.assertEqual('Поле ENUM_M', row['title'])
        self.assertEqual(6, len(json.loads(row['items'])))
        self.assertEqual(['Да', 'Нет', 'Уточняется'], [v for _, v in json.loads(row['items'])][:3])

    def test_new_renamed_and_other_items(self):
        sandbox = self.portal()
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        self.field(sandbox, 'UF_CRM_BUDGET', 'double')
        self.edit(sandbox, 'rename', 'UF_CRM_INT', {'label': 'Число "мест"'})
        items = json.loads(pipeline.query("SELECT items FROM potok_field WHERE entity = 'deals' AND name = 'UF_CRM_ENUM_M'")[0][0])
        self.edit(sandbox, 'items', 'UF_CRM_ENUM_M', {'add': ['Впервые'], 'rename': {items[0][0]: 'Конечно'}, 'delete': [items[1][0]]})
        pipeline.sync()
        self.same(pipeline, sandbox, 'deals', 'contacts', 'companies', 'leads')
        self.assertEqual([('added', None, 'double')], self.changes(pipeline, 'UF_CRM_BUDGET'))
        self.assertEqual([('renamed', 'Поле INT', 'Число "мест"')], self.changes(pipeline, 'UF_CRM_INT'))
        (what, was, now), = self.changes(pipeline, 'UF_CRM_ENUM_M')
        self.assertEqual('items', what)
        self.assertEqual([[items[0][0], 'Да'], [items[1][0], 'Нет']], json.loads(was))
        self.assertEqual([items[0][0], 'Конечно'], json.loads(now)[0])
        self.assertEqual('Впервые', json.loads(now)[1][1])
        events = [e['event'] for e in pipeline.log() if e.get('event', '').startswith('field.')]
        self.assertEqual(['field.added', 'field.items', 'field.renamed'], sorted(events), 'each is told once')
        drift = pipeline.status()['drift']
        self.assertEqual([('deals', 3)], [(e['entity'], e['changes']) for e in drift['entities']])
        self.assertEqual({'added', 'renamed', 'items'}, {c['what'] for c in drift['changes']})
        shown = pipeline.potok('status', LANG='ru_RU.UTF-8').stdout
        self.assertIn('main/deals UF_CRM_INT «Число "мест"»: переименовано: Поле INT → Число "мест"', shown)
        self.assertIn('UF_CRM_BUDGET', shown)

    def test_deleted_and_recreated(self):
        sandbox = self.portal()
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        self.recreated(pipeline, sandbox)

    def test_retyped(self):
        sandbox = self.portal()
        self.field(sandbox, 'UF_CRM_RT', 'integer')
        pipeline = self.pipeline(sandbox).start()
        pipeline.expect('field.retyped')
        pipeline.sync('deals')
        self.edit(sandbox, 'type', 'UF_CRM_RT', {'type': 'string'})
        pipeline.sync('deals')
        self.same(pipeline, sandbox, but=('uf_crm_rt',))
        self.assertEqual(('retyped', 'integer', 'string'), self.changes(pipeline, 'UF_CRM_RT')[-1])
        waiting, = pipeline.status()['drift']['fields']
        self.assertEqual(('UF_CRM_RT', 'text', 'int', 'potok schema widen deals UF_CRM_RT'),
                         (waiting['field'], waiting['kind'], waiting['column_kind'], waiting['cure']))
        told, = [e for e in pipeline.log() if e.get('event') == 'field.retyped']
        self.assertIn('potok schema widen deals UF_CRM_RT', told['details']['act'])

    def test_freeze_and_its_acceptance(self):
        sandbox = self.portal()
        pipeline = self.configured(sandbox, 'portals:\n  main:\n    drift: freeze\n').start()
        pipeline.sync()
        self.frozen_then_accepted(pipeline, sandbox)
        self.assertIn('drift', pipeline.potok('config', 'show').stdout)

    def test_accepted_while_nothing_runs(self):
        sandbox = self.portal()
        pipeline = self.configured(sandbox, 'portals:\n  main:\n    entities: [deals, contacts: {drift: freeze}]\n').start()
        pipeline.sync()
        self.field(sandbox, 'UF_CRM_NEW', 'date', entity='contacts')
        self.field(sandbox, 'UF_CRM_NEW', 'date')
        pipeline.sync()
        self.assertNotIn('uf_crm_new', self.columns(pipeline, 'contacts'))
        self.assertIn('uf_crm_new', self.columns(pipeline), 'deals evolve')
        self.assertEqual(0, pipeline.stop())
        runs = self.number(pipeline, 'SELECT max(id) FROM potok_run')
        self.accept(pipeline, 'contacts', 'UF_CRM_NEW')
        pipeline.start()
        self.finished(pipeline, runs)
        self.same(pipeline, sandbox, 'contacts', 'deals')

    def test_accepted_during_a_sync(self):
        sandbox = self.portal(deals=6000)
        pipeline = self.configured(sandbox, 'portals:\n  main:\n    drift: freeze\n', PORTAL_PARALLEL=1).start()
        pipeline.sync('deals')
        self.field(sandbox, 'UF_CRM_NEW', 'integer')
        pipeline.sync('deals')
        self.assertNotIn('uf_crm_new', self.columns(pipeline))
        sandbox.fault('latency', times=20, ms=300)
        pipeline.expect('job.retry', 'job.lost', 'rows.refused', 'probe.retry')
        pipeline.potok('sync', 'deals', '--full')
        wait_for(lambda: self.number(pipeline, "SELECT count(*) FROM potok_run WHERE state = 'open' AND read > 0"), 'it reads')
        self.accept(pipeline, 'deals', '--all')
        wait_for(lambda: 'uf_crm_new' in self.columns(pipeline), 'the column is made')
        wait_for(lambda: not self.number(pipeline, "SELECT count(*) FROM potok_run WHERE state IN ('open', 'probing')"), 'it ends')
        self.same(pipeline, sandbox)

    def test_killed_right_after_an_acceptance(self):
        """What was accepted is in the database before the scheduler knows it: whoever comes next goes on with it."""
        sandbox = self.portal()
        pipeline = self.configured(sandbox, 'portals:\n  main:\n    drift: freeze\n', POTOK_CRASH_AT='scheduler.after_accept').start()
        pipeline.expect(*WARNINGS)
        pipeline.sync('deals')
        self.field(sandbox, 'UF_CRM_NEW', 'string')
        pipeline.sync('deals')
        runs, first = self.number(pipeline, 'SELECT max(id) FROM potok_run'), pipeline.pid('scheduler')
        self.accept(pipeline, 'deals', 'UF_CRM_NEW')
        wait_for(lambda: pipeline.pid('scheduler') not in (None, first), 'the scheduler died and another one came')
        self.finished(pipeline, runs)
        self.same(pipeline, sandbox)

    def test_quarantine(self):
        sandbox = self.portal()
        pipeline = self.configured(sandbox, 'portals:\n  main:\n    drift: quarantine\n').start()
        pipeline.expect('field.added')
        pipeline.sync()
        self.field(sandbox, 'UF_CRM_NEW', 'double')
        self.field(sandbox, 'UF_CRM_EMPTY', 'string', fill=0)
        pipeline.sync('deals')
        have = {i: v['uf_crm_new'] for i, v in sandbox.truth('deals').items() if 'uf_crm_new' in v}
        rows = pipeline.query("SELECT id, value, reason FROM potok_reject WHERE entity = 'deals' AND field = 'UF_CRM_NEW'")
        self.assertEqual(set(have), {r['id'] for r in rows})
        self.assertIn('potok schema accept', rows[0]['reason'])
        self.assertEqual(0, self.number(pipeline, "SELECT count(*) FROM potok_reject WHERE field = 'UF_CRM_EMPTY'"))
        self.assertNotIn('uf_crm_new', self.columns(pipeline))
        self.same(pipeline, sandbox, but=('uf_crm_new', 'uf_crm_empty'))
        cures = {f['field']: f['cure'] for f in pipeline.status()['drift']['fields']}
        self.assertEqual('potok schema accept deals UF_CRM_NEW', cures['UF_CRM_NEW'])
        runs = self.number(pipeline, 'SELECT max(id) FROM potok_run')
        self.accept(pipeline, 'deals', 'UF_CRM_NEW')
        self.finished(pipeline, runs)
        self.same(pipeline, sandbox, but=('uf_crm_empty',))
        self.assertEqual(0, self.number(pipeline, 'SELECT count(*) FROM potok_reject'))
        self.assertNotIn('uf_crm_empty', self.columns(pipeline))

    def test_another_policy(self):
        """A held field follows the policy of today; what was copied once stays so."""
        sandbox = self.portal()
        pipeline = self.configured(sandbox, 'portals:\n  main:\n    drift: freeze\n').start()
        pipeline.sync('deals')
        self.field(sandbox, 'UF_CRM_NEW', 'string')
        pipeline.sync('deals')
        self.assertEqual(0, pipeline.stop())
        with open(os.path.join(self.folder, 'potok.yaml'), 'w') as f:
            f.write('portals:\n  main:\n    drift: evolve\n')
        pipeline.start()
        pipeline.sync('deals')
        self.same(pipeline, sandbox)
        self.assertEqual([], pipeline.status()['drift']['fields'])


class DriftOnPostgres(Story, Scenario):
    """The same in short: what the database has a part in."""

    def test_recreated_and_accepted(self):
        server = Server()
        self.addCleanup(server.close)
        server.execute('CREATE DATABASE potok')
        sandbox = self.portal()
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    entities: [deals]\n')
        pipeline = self.pipeline(sandbox, postgres=(server, 'potok'), POTOK_CONFIG=path).start()
        pipeline.sync('deals')
        self.recreated(pipeline, sandbox)
        self.assertEqual(0, pipeline.stop())
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    drift: freeze\n    entities: [deals]\n')
        pipeline.start()
        self.frozen_then_accepted(pipeline, sandbox)
        with contextlib.suppress(Exception):
            pipeline.stop()


if __name__ == '__main__':
    unittest.main()
