"""A database is the copy of one portal: another portal is refused before anything is touched, a portal that moved is not."""
import contextlib
import os
import sqlite3
import subprocess
import unittest

from support import truth
from support.harness import BIN, ENTITIES, Scenario, wait_for

ELSEWHERE = 'https://other.bitrix24.example/rest/1/abcdefabcdefabcd/'     # never called: refused before


class Identity(Scenario):
    def image(self, pipeline):
        """All there is: tables of the mirror and of the system."""
        names = [r[0] for r in pipeline.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {name: sorted(map(repr, map(tuple, pipeline.query('SELECT * FROM "%s"' % name)))) for name in names}

    def values(self, pipeline, table):
        rows = map(dict, pipeline.query('SELECT * FROM %s ORDER BY id' % table))
        return [{name: value for name, value in row.items() if name[0] != '_'} for row in rows]

    def filled(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox).start()
        pipeline.sync()
        self.assertEqual(0, pipeline.stop())
        return sandbox, pipeline

    def refused(self, pipeline, *words, **environment):
        before = self.image(pipeline)
        done = pipeline.potok('up', '--once', timeout=60, **environment)
        self.assertEqual(2, done.returncode, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotIn('abcdefabcdefabcd', done.stdout + done.stderr)
        self.assertEqual(before, self.image(pipeline))

    def test_another_portal_is_refused_and_nothing_is_touched(self):
        sandbox, pipeline = self.filled()
        self.refused(pipeline, 'localhost', 'other.bitrix24.example', 'DATABASE_URL', 'potok config moved main',
                     BITRIX_WEBHOOK_URL=ELSEWHERE)
        done = pipeline.potok('config', 'moved', 'main', BITRIX_WEBHOOK_URL=ELSEWHERE)
        self.assertEqual(2, done.returncode, 'a sandbox does not become a portal')
        self.assertIn('DATABASE_URL', done.stderr)
        pipeline.start()
        pipeline.sync()
        truth.check(self, pipeline, sandbox, ENTITIES)

    def test_the_scheduler_alone_refuses_it_too(self):
        sandbox, pipeline = self.filled()
        before = self.image(pipeline)
        done = subprocess.run([BIN + '/potok-scheduler'], env=dict(pipeline.environment, BITRIX_WEBHOOK_URL=ELSEWHERE),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertIn('potok config moved main', done.stderr)
        self.assertEqual(before, self.image(pipeline))

    def test_a_portal_that_moved_goes_on(self):
        sandbox, pipeline = self.filled()
        with contextlib.closing(sqlite3.connect(pipeline.db_path)) as connection, connection:
            connection.execute("UPDATE potok_lease SET identity = 'old.bitrix24.example'")
        self.refused(pipeline, 'old.bitrix24.example')
        self.assertEqual(2, pipeline.potok('config', 'moved', 'office').returncode)
        done = pipeline.potok('config', 'moved', 'main')
        self.assertEqual((0, 'main: old.bitrix24.example -> localhost'), (done.returncode, done.stdout.split(';')[0]))
        self.assertIn('same', pipeline.potok('config', 'moved', 'main').stdout)
        pipeline.start()
        pipeline.sync()
        truth.check(self, pipeline, sandbox, ENTITIES)

    def test_a_portal_of_another_name_does_not_get_the_tables(self):
        sandbox, pipeline = self.filled()
        path = os.path.join(self.folder, 'potok.yaml')
        text = 'portals:\n  office:\n    url: %s\n' % sandbox.url
        with open(path, 'w') as f:
            f.write(text)
        self.refused(pipeline, 'crm_deals', 'main', 'prefix', BITRIX_WEBHOOK_URL='', BITRIX_TARIFF='', POTOK_CONFIG=path)
        with open(path, 'w') as f:
            f.write(text + '    prefix: office_\n')
        done = pipeline.potok('up', '--once', timeout=120, BITRIX_WEBHOOK_URL='', BITRIX_TARIFF='', POTOK_CONFIG=path)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertEqual(400, pipeline.query('SELECT count(*) FROM office_deals')[0][0])

    def test_a_new_prefix_fills_new_tables_at_the_start(self):
        sandbox, pipeline = self.filled()
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    url: %s\n    prefix: mirror_\n' % sandbox.url)
        pipeline.environment.update(BITRIX_WEBHOOK_URL='', BITRIX_TARIFF='', POTOK_CONFIG=path)
        before = pipeline.query('SELECT * FROM crm_deals ORDER BY id')
        pipeline.start(SYNC_DEFAULT_INTERVAL_MINUTES='60')
        wait_for(lambda: all(e['full_ms'] for e in pipeline.query('SELECT full_ms FROM potok_entity')), 'the new tables are full')
        for entity in ENTITIES:
            self.assertEqual(*(self.values(pipeline, prefix + entity) for prefix in ('crm_', 'mirror_')))
        self.assertEqual(list(map(tuple, before)), list(map(tuple, pipeline.query('SELECT * FROM crm_deals ORDER BY id'))))


if __name__ == '__main__':
    unittest.main()
