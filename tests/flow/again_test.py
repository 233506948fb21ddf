"""What must be read again because somebody changed the tables meanwhile: whoever waits for a sync waits for that too, and
is told of every run."""
import os
import re
import subprocess
import unittest

from support import truth
from support.engines import InPostgres, InSqlite
from support.harness import BIN, ENTITIES, Scenario, wait_for


class Again:
    """The tests of both databases; `tell` runs SQL as somebody else would."""

    def drop(self, pipeline, table, column):
        pipeline.expect('column.made_again', 'job.retry')
        self.tell('ALTER TABLE %s DROP COLUMN %s' % (table, column))

    def once(self, pipeline, timeout=60):
        """The lines of `potok up --once`."""
        done = subprocess.run([BIN + '/potok', 'up', '--once'], env=pipeline.environment, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, start_new_session=True)
        self.assertEqual(0, done.returncode, done.stdout)
        return done.stdout

    def shown(self, printed, entity):
        """Rows of the summary: written, unchanged, outcome of each run."""
        rows = re.findall(r'^%s +crm_%s +(.*)$' % (entity, entity), printed, re.M)
        return [(int(r.split()[1].replace(',', '')), int(r.split()[2].replace(',', '')), r.split()[-1]) for r in rows]

    def open_runs(self, pipeline):
        return pipeline.query("SELECT id, state FROM potok_run WHERE state IN ('probing', 'open')")

    def test_sync_waits_for_what_is_read_again(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox).start()
        pipeline.sync()
        for column in 'comments', 'source_description', 'additional_info':
            self.drop(pipeline, 'crm_deals', column)
            done = pipeline.potok('sync', 'deals', '--wait', timeout=60)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            self.assertEqual('done', self.shown(done.stdout, 'deals')[-1][-1], done.stdout)
            self.assertEqual([], [tuple(r) for r in self.open_runs(pipeline)])
            truth.check(self, pipeline, sandbox, ['deals'])

    def test_up_shows_what_was_read_again(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox).start()
        pipeline.sync()
        tables = lambda: pipeline.printed().count('Requests in all')
        wait_for(lambda: tables() >= 1, 'the first summary')
        before = tables()
        self.drop(pipeline, 'crm_deals', 'comments')
        self.assertEqual(0, pipeline.potok('sync', 'deals').returncode)
        wait_for(lambda: tables() > before, 'another summary')

    def test_once_shows_what_accepted_fields_filled(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox)
        pipeline.environment['POTOK_CONFIG'] = path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    url: %s\n    drift: freeze\n' % pipeline.environment.pop('BITRIX_WEBHOOK_URL'))
        self.once(pipeline)
        sandbox.post('field?entity=deals', {'name': 'UF_CRM_LATE', 'type': 'string', 'multiple': False, 'fill': 100})
        self.once(pipeline)
        self.assertEqual(0, pipeline.potok('schema', 'accept', 'deals', 'UF_CRM_LATE').returncode)
        printed = self.once(pipeline)
        self.assertGreater(sum(written for written, _, _ in self.shown(printed, 'deals')), 0, printed)
        truth.check(self, pipeline, sandbox, ['deals'])

    def test_once_ends_with_the_repair_finished(self):
        sandbox = self.sandbox()
        pipeline = self.mirror(sandbox)
        self.once(pipeline)
        for change in ('crm_deals', 'comments'), ('crm_companies', 'comments'), ('crm_deals', 'source_description'):
            self.drop(pipeline, *change)
            printed = self.once(pipeline)
            self.assertEqual('done', self.shown(printed, change[0][4:])[-1][-1], printed)
            self.assertEqual([], [tuple(r) for r in self.open_runs(pipeline)])
            truth.check(self, pipeline, sandbox, ENTITIES)
        pipeline.expect('table.made_again')
        self.tell('DROP TABLE crm_companies%s' % self.cascade)
        self.once(pipeline)
        truth.check(self, pipeline, sandbox, ENTITIES)


class AgainSQLite(Again, InSqlite, Scenario):
    cascade = ''


class AgainPostgres(Again, InPostgres, Scenario):
    cascade = ' CASCADE'


if __name__ == '__main__':
    unittest.main()
