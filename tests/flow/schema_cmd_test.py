"""`potok schema`: tables and columns described from the database itself, whoever may read it, running or not."""
import json
import os
import shutil
import stat
import subprocess
import unittest

from support import truth
from support.engines import InPostgres
from support.harness import BIN, ENTITIES, Scenario, wait_for
from support.killing import running


class SchemaCommand(Scenario):
    def described(self, pipeline, *arguments):
        done = pipeline.potok('schema', *arguments, '--json')
        self.assertEqual(0, done.returncode, done.stderr)
        return {m['entity']: m for m in json.loads(done.stdout)['mirrors']}

    def agrees(self, pipeline):
        """Every column that is described is there, and the other way round."""
        for entity, mirror in self.described(pipeline).items():
            described = {c for f in mirror['fields'] for c in (f['column'], f['currency_column']) if c}
            self.assertEqual({c for c in self.columns(pipeline, 'crm_' + entity) if c[0] != '_'}, described)

    def test_what_is_described_is_what_is_there(self):
        sandbox = self.sandbox()
        sandbox.post('field?entity=deals', {'name': 'UF_CRM_SUM', 'type': 'money', 'multiple': False})
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        self.agrees(pipeline)
        self.assertEqual(0, pipeline.stop())
        self.agrees(pipeline)
        deals = self.described(pipeline, 'deal')['deals']
        self.assertEqual(('main', 'localhost', 'crm_deals', 400, 0),
                         tuple(deals[k] for k in ('portal', 'host', 'table', 'records', 'deleted')))
        self.assertTrue(deals['full_ms'] and deals['schema_ms'])
        fields = {f['name']: f for f in deals['fields']}
        self.assertEqual(('money', 'uf_crm_sum', 'uf_crm_sum_currency', 'decimal'),
                         tuple(fields['UF_CRM_SUM'][k] for k in ('type', 'column', 'currency_column', 'kind')))
        self.assertNotIn('contacts', self.described(pipeline, 'deals', 'leads'))

    def test_people_read_it_too(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        table = pipeline.potok('schema', 'leads').stdout
        self.assertIn('main/leads -> crm_leads: 200 records', table)
        russian = pipeline.potok('schema', '--format', 'markdown', LANG='ru_RU.UTF-8').stdout
        for words in '## crm\\_deals', '| колонка | вид |', 'Портал main (localhost)':
            self.assertIn(words.replace('\\', ''), russian.replace('\\', ''))
        self.assertEqual(2, pipeline.potok('schema', 'dels').returncode)
        self.assertIn('deals', pipeline.potok('schema', 'dels').stderr)
        self.assertEqual(2, pipeline.potok('schema', '--format', 'yaml').returncode)
        self.assertEqual(2, pipeline.potok('schema', '--portal', 'office').returncode)
        self.assertEqual(0, pipeline.potok('schema', '--history').returncode)
        json.loads(pipeline.potok('schema', '--history', '--json').stdout)

    def test_where_one_may_only_read(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        self.assertEqual(0, pipeline.stop())
        home = os.path.join(self.folder, 'still')
        os.mkdir(home)
        shutil.copy(pipeline.db_path, home + '/potok.db')
        os.chmod(home + '/potok.db', 0o444)
        os.chmod(home, 0o555)
        os.chmod(self.folder, 0o755)
        who = {'user': 65534, 'group': 65534, 'extra_groups': []} if os.geteuid() == 0 else {}
        environment = dict(pipeline.environment, POTOK_HOME=home, DATABASE_URL='')
        try:
            ask = lambda *words: subprocess.run([BIN + '/potok', *words], env=environment, text=True, stdin=subprocess.DEVNULL,
                                                cwd='/', stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **who)
            if not self.reachable(ask):
                self.skipTest('the programs are in a folder of root alone')
            self.assertIn('main/deals -> crm_deals: 400 records', ask('schema', 'deals').stdout)
            status = ask('status', '--json')
            self.assertEqual(sorted(ENTITIES), sorted(r['entity'] for r in json.loads(status.stdout)['runs']), status.stderr)
            self.assertEqual(['potok.db'], os.listdir(home))
            self.assertEqual(0o444, stat.S_IMODE(os.stat(home + '/potok.db').st_mode))
        finally:
            os.chmod(home, 0o755)

    @staticmethod
    def reachable(ask):
        try:
            return ask('version').returncode == 0
        except PermissionError:
            return False

    def test_nothing_there_yet(self):
        pipeline = self.pipeline(None)
        done = pipeline.potok('schema')
        self.assertEqual(2, done.returncode)
        self.assertIn('potok up', done.stderr)
        self.assertFalse(os.path.exists(pipeline.db_path))


    def columns(self, pipeline, table):
        return {r['name'] for r in pipeline.query('SELECT name FROM pragma_table_info(?)', table)}

    def number(self, pipeline, sql):
        return int(list(dict(pipeline.query(sql)[0]).values())[0])

    def retyped(self, stopped):
        """A number becomes a text: what does not fit is set aside until the column is widened."""
        sandbox = self.sandbox()
        sandbox.post('field?entity=deals', {'name': 'UF_CRM_SIZE', 'type': 'integer', 'multiple': False, 'fill': 50})
        pipeline = self.pipeline(sandbox).start()
        pipeline.expect('field.retyped')
        pipeline.sync()
        sandbox.post('field/type?entity=deals&name=UF_CRM_SIZE', {'type': 'string', 'multiple': False})
        pipeline.sync('deals')
        rejects = "SELECT count(*) AS n FROM potok_reject WHERE field = 'UF_CRM_SIZE'"
        apart = self.number(pipeline, rejects)
        self.assertGreater(apart, 20)
        field = {f['name']: f for f in self.described(pipeline)['deals']['fields']}['UF_CRM_SIZE']
        self.assertEqual(('text', 'int', apart), (field['kind'], field['column_kind'], field['rejected']))
        if stopped:
            self.assertEqual(0, pipeline.stop())
        dry = json.loads(pipeline.potok('schema', 'widen', '--dry-run', '--json').stdout)['columns']
        self.assertEqual([('deals', 'uf_crm_size', 'int', 'text', 'would_widen', apart)],
                         [tuple(c[k] for k in ('entity', 'column', 'from', 'to', 'state', 'records')) for c in dry])
        done = pipeline.potok('schema', 'widen', 'deals')
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        if stopped:
            pipeline.start()
        wait_for(lambda: self.number(pipeline, rejects) == 0, 'what did not fit is read again')
        wait_for(lambda: not running(pipeline), 'all is read')
        truth.check(self, pipeline, sandbox, ['deals'])
        self.assertEqual([], json.loads(pipeline.potok('schema', 'widen', '--json').stdout)['columns'])

    def test_a_retyped_column_is_widened_while_all_runs(self):
        self.retyped(False)

    def test_a_retyped_column_is_widened_while_nothing_runs(self):
        self.retyped(True)

    def test_a_new_field_is_accepted_while_nothing_runs(self):
        sandbox = self.sandbox()
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    url: %s\n    drift: freeze\n' % sandbox.url)
        pipeline = self.pipeline(None, POTOK_CONFIG=path, SYNC_DEFAULT_INTERVAL_MINUTES=60).start()
        full = 'SELECT count(*) AS n FROM potok_entity WHERE full_ms IS NOT NULL'
        wait_for(lambda: self.number(pipeline, full) == len(ENTITIES), 'the first sync')
        sandbox.post('field?entity=deals', {'name': 'UF_CRM_LATER', 'type': 'date', 'multiple': False, 'fill': 50})
        pipeline.sync('deals')
        fields = {f['name']: f for f in self.described(pipeline)['deals']['fields']}
        self.assertEqual(('left_out', None), tuple(fields['UF_CRM_LATER'][k] for k in ('held', 'column')))
        self.assertEqual(0, pipeline.stop())
        done = pipeline.potok('schema', 'accept', 'deals', 'uf_crm_later')
        self.assertEqual((0, 'main/deals: UF_CRM_LATER -> uf_crm_later'), (done.returncode, done.stdout.split('\n')[0]), done.stderr)
        self.assertEqual(len(ENTITIES) - 1, self.number(pipeline, full))
        pipeline.start()
        wait_for(lambda: self.number(pipeline, full) == len(ENTITIES), 'deals are read anew')
        truth.check(self, pipeline, sandbox, ENTITIES)
        self.assertIn('uf_crm_later', self.columns(pipeline, 'crm_deals'))


class SchemaCommandOnPostgres(InPostgres, SchemaCommand):
    def pipeline(self, sandbox, **environment):
        return super().pipeline(sandbox, postgres=(self.server, self.new_database()), **environment)

    def test_what_is_described_is_what_is_there(self):
        pipeline = self.pipeline(self.sandbox()).start()
        pipeline.sync()
        self.agrees(pipeline)

    def columns(self, pipeline, table):
        return {r['column_name'] for r in pipeline.query(
            "SELECT column_name FROM information_schema.columns WHERE table_name = '%s'" % table)}

    test_where_one_may_only_read = test_nothing_there_yet = None


if __name__ == '__main__':
    unittest.main()
