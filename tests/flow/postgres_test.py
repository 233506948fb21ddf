"""The mirror in PostgreSQL, in a server of the test's own: exact, kept exact by kills and restarts, and mistakes told."""
import subprocess
import unittest

from support import truth
from support.engines import InPostgres
from support.harness import BIN, ENTITIES, Scenario, wait_for
from support.killing import WARNINGS, kill_during_syncs, running

# What a server that goes away may say besides.
SERVER_GONE = 'rows.failed', 'database.waiting', 'database.retry', 'probe.retry'


class Postgres(InPostgres, Scenario):
    def test_every_value_is_exact_and_a_second_sync_writes_no_row(self):
        sandbox = self.sandbox(deals=3000, contacts=1500, companies=700, leads=1100)
        pipeline = self.mirror(sandbox)
        url = pipeline.environment['DATABASE_URL']
        pipeline.environment['DATABASE_URL'] = url.replace('postgresql://', 'postgresql+asyncpg://')
        done = pipeline.potok('up', '--once')
        self.assertEqual(0, done.returncode, done.stdout[-2000:] + done.stderr[-2000:])
        truth.check(self, pipeline, sandbox, ENTITIES)
        before = self.versions(pipeline)
        pipeline.environment['DATABASE_URL'] = url.replace('postgresql://', 'postgres://')
        self.assertEqual(0, pipeline.potok('up', '--once').returncode)
        self.assertEqual(before, self.versions(pipeline), 'no row was written')
        for run in pipeline.query('SELECT entity, read, written, same FROM potok_run ORDER BY id DESC LIMIT 4'):
            self.assertEqual(('0', run['read']), (run['written'], run['same']), run)

    def versions(self, pipeline):
        """Which transaction wrote each row: unlike the values, it changes when a row is rewritten."""
        return {e: pipeline.query('SELECT id, xmin, ctid FROM crm_%s ORDER BY id' % e) for e in ENTITIES}

    def test_killed_services(self):
        sandbox = self.sandbox('--latency', '60', deals=9000, contacts=6000, companies=2500, leads=4000)
        pipeline = self.mirror(sandbox, WRITERS=2, DATABASE_POOL_SIZE=2).start()
        kill_during_syncs(self, pipeline, sandbox, 8)

    def test_a_server_restarted_in_mid_sync(self):
        sandbox = self.sandbox('--latency', '60', deals=9000, contacts=6000, companies=2500, leads=4000)
        pipeline = self.mirror(sandbox).start()
        pipeline.expect(*WARNINGS, *SERVER_GONE)
        for _ in range(3):
            pipeline.potok('sync', '--full')
            self.wait_for_a_job(pipeline)
            self.server.restart('immediate')
            wait_for(lambda: pipeline.status() and not running(pipeline), 'the sync ends', 180)
        truth.check(self, pipeline, sandbox, ENTITIES)
        self.assertEqual([], pipeline.query("SELECT state FROM potok_run WHERE state NOT IN ('done')"))

    def test_a_server_that_is_down_at_the_start_is_waited_for(self):
        sandbox = self.sandbox(deals=60, contacts=20, companies=10, leads=10)
        pipeline = self.mirror(sandbox)
        self.server.stop()
        try:
            done = pipeline.potok('up', '--once', timeout=60, CONNECT_PATIENCE='1s')
        finally:
            self.server.start()
        self.assertNotEqual(0, done.returncode)
        self.assertIn('is the server running', done.stdout + done.stderr)
        self.assertIn('waiting for the database', done.stdout + done.stderr)
        self.server.stop()
        up = subprocess.Popen([BIN + '/potok', 'up', '--once'], env=pipeline.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        said = up.stderr.readline() + up.stderr.readline()      # it stands and waits
        self.server.start()
        out, err = up.communicate(timeout=120)
        self.assertIn('waiting for the database', said)
        self.assertEqual(0, up.returncode, out + err)
        truth.check(self, pipeline, sandbox, ENTITIES)

    def wait_for_a_job(self, pipeline):
        wait_for(lambda: pipeline.query("SELECT 1 FROM potok_job WHERE state = 'done' AND kind = 'range' LIMIT 1"), 'a first job done')

    def told(self, pipeline, *words, **environment):
        pipeline.expect('service.failed')
        done = pipeline.potok('up', '--once', timeout=60, **environment)
        said = done.stdout + done.stderr
        self.assertEqual(2, done.returncode, said)
        for word in words:
            self.assertIn(word, said)
        self.assertNotIn('s3cret', said)

    def test_rights_that_miss_are_told_with_the_grant(self):
        sandbox = self.sandbox(deals=20, contacts=20, companies=10, leads=10)
        name = self.new_database()
        pipeline = self.pipeline(sandbox, postgres=(self.server, name))
        self.server.execute('CREATE ROLE reader LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC', name)
        url = self.server.url(name, 'reader')
        self.told(pipeline, 'GRANT USAGE, CREATE ON SCHEMA "public" TO "reader"', DATABASE_URL=url)
        self.assertEqual(0, pipeline.potok('up', '--once').returncode)
        self.server.execute('GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader', name)
        self.told(pipeline, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES', DATABASE_URL=url)
        self.server.execute('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO reader;'
                            'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO reader', name)
        done = pipeline.potok('up', '--once', DATABASE_URL=url)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_wrong_addresses_are_told(self):
        sandbox = self.sandbox(deals=20, contacts=20, companies=10, leads=10)
        pipeline = self.mirror(sandbox)
        self.server.execute('CREATE DATABASE with_password')
        self.server.execute("CREATE ROLE pat LOGIN PASSWORD 's3cret'")
        host = '127.0.0.1:%d' % self.server.port
        self.told(pipeline, 'no_such', 'createdb', DATABASE_URL=self.server.url('no_such'))
        self.told(pipeline, 'refuses the password', DATABASE_URL='postgresql://pat:s3cret2@%s/with_password' % host)
        self.told(pipeline, '%40', DATABASE_URL='postgresql://pat:a@s3cret@%s/with_password' % host)
        self.server.execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        self.told(pipeline, 'LATIN1', 'createdb', DATABASE_URL=self.server.url('narrow'))


if __name__ == '__main__':
    unittest.main()
