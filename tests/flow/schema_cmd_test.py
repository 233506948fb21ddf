"""`potok schema`: tables and columns described from the database itself, whoever may read it, running or not."""
import json
import os
import shutil
import stat
import subprocess
import unittest

from support.harness import BIN, ENTITIES, Scenario
from support.postgres import Server


class SchemaCommand(Scenario):
    def described(self, pipeline, *arguments):
        done = pipeline.potok('schema', *arguments, '--json')
        self.assertEqual(0, done.returncode, done.stderr)
        return {m['entity']: m for m in json.loads(done.stdout)['mirrors']}

    def agrees(self, pipeline, columns_of):
        """Every column that is described is there, and the other way round."""
        for entity, mirror in self.described(pipeline).items():
            described = {c for f in mirror['fields'] for c in (f['column'], f['currency_column']) if c}
            self.assertEqual({c for c in columns_of('crm_' + entity) if c[0] != '_'}, described)

    def test_what_is_described_is_what_is_there(self):
        sandbox = self.sandbox()
        sandbox.post('field?entity=deals', {'name': 'UF_CRM_SUM', 'type': 'money', 'multiple': False})
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        names = lambda table: [r['name'] for r in pipeline.query('SELECT name FROM pragma_table_info(?)', table)]
        self.agrees(pipeline, names)
        self.assertEqual(0, pipeline.stop())
        self.agrees(pipeline, names)
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


class SchemaCommandOnPostgres(SchemaCommand):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def pipeline(self, sandbox, **environment):
        name = 'd%d' % self.random.randrange(10 ** 9)
        self.server.execute('CREATE DATABASE %s' % name)
        return super().pipeline(sandbox, postgres=(self.server, name), **environment)

    def test_what_is_described_is_what_is_there(self):
        pipeline = self.pipeline(self.sandbox()).start()
        pipeline.sync()
        self.agrees(pipeline, lambda table: [r['column_name'] for r in pipeline.query(
            "SELECT column_name FROM information_schema.columns WHERE table_name = '%s'" % table)])

    test_where_one_may_only_read = test_nothing_there_yet = None


if __name__ == '__main__':
    unittest.main()
