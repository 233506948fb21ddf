"""What somebody does to the mirror's columns while Potok works, and fields that change their type: every sync ends well
or with what to do, and the tables are the portal's again afterwards."""
import unittest

from support import truth
from support.engines import InPostgres, InSqlite
from support.harness import Scenario, wait_for


class Columns:
    """The tests of both databases; `tell` runs SQL as somebody else would."""

    def number(self, pipeline, sql):
        return int(list(dict(pipeline.query(sql)[0]).values())[0] or 0)

    def idle(self, pipeline):
        wait_for(lambda: not self.number(pipeline, "SELECT count(*) AS n FROM potok_run WHERE state IN ('open', 'probing')")
                 and not self.number(pipeline, 'SELECT count(*) AS n FROM potok_mark'), 'all runs end', 120)

    def repaired(self, pipeline, sandbox, entity='deals'):
        """Without anybody's doing."""
        self.idle(pipeline)
        wait_for(lambda: not self.number(pipeline, "SELECT count(*) AS n FROM potok_entity WHERE entity = '%s' AND full_ms IS "
                                         'NULL' % entity), 'a sync read everything after the repair', 120)
        truth.check(self, pipeline, sandbox, [entity])

    def in_mid_run(self, pipeline, sandbox):
        """A full sync of the deals with some of its jobs done and some not."""
        sandbox.fault('latency', times=40, ms=1500, method='batch')     # longer than a busy machine takes to look
        run = self.number(pipeline, 'SELECT max(id) AS n FROM potok_run')
        self.assertEqual(0, pipeline.potok('sync', 'deals', '--full').returncode)
        wait_for(lambda: self.number(pipeline, "SELECT count(*) AS n FROM potok_run WHERE id > %d AND state = 'open' AND "
                                     'read > 0' % run), 'it reads')
        sandbox.post('faults/clear')

    def events(self, pipeline, name):
        return [e['details'] for e in pipeline.log() if e.get('event') == name]

    def rows(self, pipeline, sql):
        return [tuple(dict(r).values()) for r in pipeline.query(sql)]

    # ---- retyped at the portal ----

    def test_a_retyped_field_keeps_its_column_until_it_is_widened(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox).start()
        pipeline.expect('field.retyped')
        sandbox.post('field?entity=deals', {'name': 'UF_CRM_RT', 'type': 'integer', 'multiple': False, 'fill': 50})
        pipeline.sync('deals')
        truth.check(self, pipeline, sandbox, ['deals'])
        self.tell('CREATE VIEW mine AS SELECT id, uf_crm_rt AS rt FROM crm_deals WHERE uf_crm_rt IS NOT NULL')
        sandbox.post('field/type?entity=deals&name=UF_CRM_RT', {'type': 'string', 'multiple': False})
        ids = sorted(sandbox.truth('deals'))[:3]
        for one, value in zip(ids, ('77', '0042268', 'сорок два')):
            sandbox.post('set?entity=deals&id=%d' % one, {'UF_CRM_RT': value})
        pipeline.sync('deals')
        self.others_are_exact(pipeline, sandbox, 'uf_crm_rt')
        have = {int(i): v for i, v in self.rows(pipeline, 'SELECT id, uf_crm_rt FROM crm_deals WHERE _deleted_at IS NULL')}
        self.assertEqual(['77', None, None], [None if have[i] is None else str(have[i]) for i in ids])
        rejected = {int(i): (v, r) for i, v, r in
                    self.rows(pipeline, "SELECT id, value, reason FROM potok_reject WHERE field = 'UF_CRM_RT'")}
        self.assertEqual(('0042268', 'сорок два'), (rejected[ids[1]][0], rejected[ids[2]][0]))
        self.assertIn('`potok schema widen deals uf_crm_rt` changes it', rejected[ids[1]][1])
        for i, values in sandbox.truth('deals').items():     # exactly or not at all
            text = values.get('uf_crm_rt')
            self.assertEqual(text, str(have[i]) if have[i] is not None else rejected.get(i, (None,))[0])
        pipeline.sync('deals')
        self.assertEqual(len(rejected), self.number(pipeline, 'SELECT count(*) AS n FROM potok_reject'), 'unchanged rows keep theirs')

        done = pipeline.potok('schema', 'widen', 'deals', 'UF_CRM_RT')
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        wait_for(lambda: not self.number(pipeline, 'SELECT count(*) AS n FROM potok_reject'), 'what was rejected is read again')
        self.idle(pipeline)
        truth.check(self, pipeline, sandbox, ['deals'])
        self.assertIn(('0042268',), self.rows(pipeline, 'SELECT rt FROM mine'))

    def others_are_exact(self, pipeline, sandbox, but):
        found = [d for d in truth.differences(pipeline, sandbox, 'deals', most=10 ** 9) if d[2] != but]
        self.assertEqual([], found[:10])

    # ---- changed by somebody ----

    def test_a_column_dropped_in_mid_run(self):
        sandbox = self.sandbox(deals=6000)
        pipeline = self.mirror(sandbox).start()
        pipeline.sync('deals')
        pipeline.expect('column.made_again', 'job.retry', 'rows.refused', 'rows.failed', 'job.lost', 'probe.retry')
        for at in 'mid-run', 'rest':
            if at == 'mid-run':
                self.in_mid_run(pipeline, sandbox)
            self.tell('ALTER TABLE crm_deals DROP COLUMN title')
            if at == 'rest':
                pipeline.potok('sync', 'deals', '--full')
            wait_for(lambda: self.events(pipeline, 'column.made_again'), 'it is noticed')
            self.repaired(pipeline, sandbox)
        self.assertEqual([('crm_deals', 'title')] * 2,
                         [(e['table'], e['column']) for e in self.events(pipeline, 'column.made_again')])

    def test_a_column_renamed_is_somebodys_own(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox).start()
        pipeline.sync('deals')
        pipeline.expect('column.made_again', 'job.retry')
        self.tell('ALTER TABLE crm_deals RENAME COLUMN title TO old_title')
        pipeline.sync('deals')
        self.idle(pipeline)
        self.others_are_exact(pipeline, sandbox, 'old_title')
        self.assertEqual(0, self.number(pipeline, 'SELECT count(*) AS n FROM crm_deals WHERE old_title <> title'))

    def test_a_table_dropped_in_mid_run(self):
        sandbox = self.sandbox(deals=6000)
        pipeline = self.mirror(sandbox).start()
        pipeline.sync('deals')
        pipeline.expect('table.made_again', 'job.retry', 'rows.refused', 'rows.failed', 'job.lost', 'probe.retry')
        self.in_mid_run(pipeline, sandbox)
        self.tell('DROP TABLE crm_deals')
        wait_for(lambda: self.events(pipeline, 'table.made_again'), 'it is noticed')
        self.repaired(pipeline, sandbox)

    def test_a_column_of_another_type_of_ours(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox).start()
        pipeline.sync('deals')
        pipeline.expect('column.altered', 'job.retry')
        self.alter('opportunity', 'text')
        pipeline.sync('deals')
        self.idle(pipeline)
        self.others_are_exact(pipeline, sandbox, 'opportunity')
        have = {int(i): v for i, v in self.rows(pipeline, 'SELECT id, opportunity FROM crm_deals WHERE _deleted_at IS NULL')}
        self.assertEqual({i: v.get('opportunity') for i, v in sandbox.truth('deals').items()}, have)
        self.assertEqual([('text',)], self.rows(pipeline, "SELECT kind FROM potok_column WHERE col = 'opportunity' AND tbl = "
                                                "'crm_deals'"))

    def told(self, pipeline, *words):
        """A sync of the deals that fails, and says why."""
        pipeline.expect('rows.failed', 'sync.failed', 'job.retry')
        done = pipeline.potok('sync', 'deals', '--full', '--wait')
        said = done.stdout + done.stderr
        self.assertNotEqual(0, done.returncode, said)
        for word in words:
            self.assertIn(word, said)
        return said

    def test_a_type_of_somebody_elses_is_told_with_the_sql_that_mends_it(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox).start()
        pipeline.sync('deals')
        pipeline.expect('column.made_again')
        self.alter('opportunity', self.rounding)
        said = self.told(pipeline, 'column opportunity of table crm_deals is of type', 'run ALTER TABLE')
        self.tell(said[said.index('ALTER TABLE'):].split(': it is made')[0].split('\n')[0])
        pipeline.sync('deals')
        self.repaired(pipeline, sandbox)

    def test_a_rule_of_somebodys_is_told(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox).start()
        pipeline.sync('deals')
        self.tell(self.rule)
        one = sorted(sandbox.truth('deals'))[0]
        sandbox.post('set?entity=deals&id=%d' % one, {'TITLE': 'Я против'})
        self.told(pipeline, *self.rule_told)
        self.tell(self.no_rule)
        pipeline.sync('deals')
        truth.check(self, pipeline, sandbox, ['deals'])


class OnSqlite(Columns, InSqlite, Scenario):
    rounding = 'REAL'
    rule = ("CREATE TRIGGER mine BEFORE INSERT ON crm_deals WHEN new.title = 'Я против' BEGIN SELECT RAISE(ABORT, 'no'); END")
    rule_told = 'trigger that somebody added to the table',
    no_rule = 'DROP TRIGGER mine'

    def alter(self, column, kind):
        """As a database browser does it."""
        self.tell('ALTER TABLE crm_deals RENAME COLUMN %s TO moved' % column)
        self.tell('BEGIN IMMEDIATE; ALTER TABLE crm_deals ADD COLUMN %s %s; UPDATE crm_deals SET %s = moved; '
                  'ALTER TABLE crm_deals DROP COLUMN moved; COMMIT' % (column, kind, column))


class OnPostgres(Columns, InPostgres, Scenario):
    rounding = 'numeric(30,1)'
    rule = "ALTER TABLE crm_deals ADD CONSTRAINT mine CHECK (title <> 'Я против')"
    rule_told = 'somebody added a rule', 'ALTER TABLE "crm_deals" DROP CONSTRAINT "mine"'
    no_rule = 'ALTER TABLE "crm_deals" DROP CONSTRAINT "mine"'

    def alter(self, column, kind):
        self.tell('ALTER TABLE crm_deals ALTER COLUMN %s TYPE %s USING %s::%s' % (column, kind, column, kind))

    def test_a_column_that_must_not_be_empty_is_told(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox).start()
        pipeline.sync('deals')
        self.tell("ALTER TABLE crm_deals ADD COLUMN mine TEXT NOT NULL DEFAULT ''; ALTER TABLE crm_deals ALTER COLUMN mine DROP "
                  'DEFAULT')
        sandbox.post('change?entity=deals&kind=create&count=3')
        self.told(pipeline, 'ALTER TABLE "crm_deals" ALTER COLUMN "mine" DROP NOT NULL')
        self.tell('ALTER TABLE "crm_deals" ALTER COLUMN "mine" DROP NOT NULL')
        pipeline.sync('deals')
        self.others_are_exact(pipeline, sandbox, 'mine')


if __name__ == '__main__':
    unittest.main()
