"""What the operator is told when he asks what is wrong: each mistake is found, with its cure, and nothing is harmed."""
import json
import os
import re
import socket
import sqlite3
import unittest
import urllib.request

from support import postgres, web
from support.harness import ALL_SERVICES, Scenario, free_port

RUSSIAN = {'LANG': 'ru_RU.UTF-8'}
CHECKS = ('configuration environment home disk file_system limits services ports sockets database rights tables identity portal '
          'webhook scope entities budget clock events').split()

YAML = '''portals:
  main:
    url: https://a.bitrix24.ru/rest/1/abcdefabcdefabcd/
    prefix: crm_
settings:
  JOBS_UNFINISHED: 3
  FETCHERS: %s
'''


class Altered:
    """A portal before the sandbox that answers as it does, but for what `alter(method, answer)` changes."""

    def __init__(self, sandbox, alter):
        class Handler(web.Quiet):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
                request = urllib.request.Request('http://127.0.0.1:%d%s' % (sandbox.port, self.path), data=body,
                                                 headers={'Content-Type': self.headers['Content-Type']})
                with urllib.request.urlopen(request, timeout=20) as answer:
                    told = json.loads(answer.read())
                told = json.dumps(alter(self.path.split('/')[-1].replace('.json', ''), told)).encode()
                self.send_response(200)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(told)))
                self.end_headers()
                self.wfile.write(told)

        self.server = web.serve(Handler)
        self.url = re.sub(r':\d+/', ':%d/' % self.server.server_port, sandbox.url, count=1)

    def close(self):
        self.server.stop()


class Doctor(Scenario):
    def doctor(self, pipeline, code, *options, **environment):
        """Its findings: {check: [finding]}; nothing of what it prints holds a secret."""
        secrets = [url.rstrip('/').rsplit('/', 1)[1] for url in [pipeline.environment.get('BITRIX_WEBHOOK_URL', 'x/nosecretatall')]]
        secrets += re.findall(r':(\w+)@', environment.get('DATABASE_URL', ''))
        for language in {}, RUSSIAN:
            done = pipeline.potok('doctor', '--json', *options, timeout=60, **dict(environment, **language))
            plain = pipeline.potok('doctor', *options, timeout=60, **dict(environment, **language))
            said = done.stdout + done.stderr + plain.stdout + plain.stderr
            self.assertEqual([code, code], [done.returncode, plain.returncode], said)
            for secret in secrets:
                self.assertNotIn(secret, said)
            answer = json.loads(done.stdout)
            self.assertEqual(answer['bad'], sum(f['health'] == 'bad' for f in answer['findings']))
            if language:
                for f in answer['findings']:
                    if f['health'] != 'ok':
                        self.assertRegex(f['found'] + f['cure'], '[а-яё]', 'Russian: %r' % f)
            else:
                found = {}
                for f in answer['findings']:
                    found.setdefault(f['check'], []).append(f)
                    self.assertIn(re.split(r'\d+ (?:ms|[MG]B free)|clock is', f['found'])[0], plain.stdout)
        return found

    def bad(self, found, check, *words, health='bad', cure=''):
        texts = [f['found'] + ' | ' + f['cure'] for f in found.get(check, []) if f['health'] == health]
        self.assertTrue(texts, found.get(check))
        for word in words:
            self.assertTrue(any(word in text for text in texts), (word, texts))
        self.assertTrue(any(cure in text.split(' | ')[1] for text in texts), (cure, texts))

    def altered(self, sandbox, alter):
        portal = Altered(sandbox, alter)
        self.addCleanup(portal.close)
        return self.pipeline(None, BITRIX_WEBHOOK_URL=portal.url)

    # -- all is well

    def test_all_is_well_and_little_was_asked(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox, PUBLIC_URL='https://potok.example.com')
        os.chmod(pipeline.home, 0o700)
        before = sandbox.stats()['requests']
        found = self.doctor(pipeline, 0)
        self.assertLessEqual(sandbox.stats()['requests'] - before, 4 * 8)
        self.assertEqual(CHECKS, list(found))
        self.assertEqual({'ok'}, {f['health'] for fs in found.values() for f in fs if f['check'] != 'limits'})
        self.assertFalse(os.path.exists(pipeline.db_path), 'nothing is made')
        self.assertEqual([], [name for name in os.listdir(pipeline.home)])
        self.bad(found, 'entities', 'deals, contacts, companies, leads', health='ok')
        self.bad(found, 'clock', '+03:00', health='ok')

    def test_it_looks_beside_running_services(self):
        pipeline = self.pipeline(self.sandbox()).start()
        pipeline.sync()
        found = self.doctor(pipeline, 0, '--deep')
        self.bad(found, 'services', str(len(ALL_SERVICES)), health='ok')
        self.bad(found, 'database', 'WAL', health='ok')
        self.bad(found, 'damage', 'whole', health='ok')
        self.assertEqual(0, pipeline.potok('status').returncode)

    # -- portals

    def test_a_wrong_secret(self):
        sandbox = self.sandbox()
        url = sandbox.url.split('/rest/')[0] + '/rest/1/wrongwrongwrong1/'
        found = self.doctor(self.pipeline(None, BITRIX_WEBHOOK_URL=url), 1)
        self.bad(found, 'webhook', 'INVALID_CREDENTIALS', cure='Inbound webhook')
        self.assertEqual(['skipped'], [f['health'] for f in found['scope']])
        self.assertIn('did not accept', found['clock'][0]['found'])

    def test_a_missing_scope(self):
        sandbox = self.sandbox()
        sandbox.post('scope?allow=user')
        found = self.doctor(self.pipeline(sandbox), 1)
        self.bad(found, 'scope', 'lacks the scope crm', 'user', cure='Assign permissions')
        self.assertEqual(['skipped'], [f['health'] for f in found['entities']], 'one cause is told once')
        self.assertFalse(any(f['found'].endswith(' ') for f in found['scope']), found['scope'])

    def test_lists_that_are_closed_or_empty(self):
        def alter(method, answer):
            if method == 'profile':
                answer['result']['ADMIN'] = False
            if method == 'batch':
                rows = answer['result']['result']
                del rows['e01']
                answer['result']['result_error'] = {'e01': {'error': '', 'error_description': 'Access denied.'}}
                rows['e03'] = []
            return answer
        found = self.doctor(self.altered(self.sandbox(), alter), 1)
        self.bad(found, 'webhook', 'no administrator', health='warning')
        self.bad(found, 'entities', 'Access denied', cure='Access permissions')
        self.assertEqual(['main/contacts'], [f['about'] for f in found['entities'] if f['health'] == 'bad'])
        self.assertEqual(['main/leads'], [f['about'] for f in found['entities'] if f['health'] == 'warning'])
        self.bad(found, 'entities', 'deals, companies', health='ok')

    def test_a_portal_that_is_not_there(self):
        url = 'http://127.0.0.1:%d/rest/1/abcdefabcdefabcd/' % free_port()
        found = self.doctor(self.pipeline(None, BITRIX_WEBHOOK_URL=url), 1)
        self.bad(found, 'portal', '127.0.0.1', 'connect', cure='curl')
        self.assertEqual({'skipped'}, {found[check][0]['health'] for check in ('webhook', 'scope', 'entities', 'budget', 'clock')})

    def test_a_port_without_tls(self):
        sandbox = self.sandbox()
        url = sandbox.url.replace('http://', 'https://')
        found = self.doctor(self.pipeline(None, BITRIX_WEBHOOK_URL=url), 1)
        self.bad(found, 'portal', 'TLS', cure='port')

    def test_a_name_that_nobody_knows(self):
        url = 'https://no-such-portal.invalid/rest/1/abcdefabcdefabcd/'
        found = self.doctor(self.pipeline(None, BITRIX_WEBHOOK_URL=url), 1)
        self.bad(found, 'portal', 'DNS', cure='getent')

    def test_a_portal_that_moved(self):
        sandbox = self.sandbox()
        sandbox.fault('redirect302', 4, method='profile')
        found = self.doctor(self.pipeline(sandbox), 1)
        self.bad(found, 'portal', 'moved', 'https://renamed.example', cure='potok config moved main')

    def test_a_site_that_is_no_portal(self):
        sandbox = self.sandbox()
        sandbox.fault('html200', 4, method='profile')
        self.bad(self.doctor(self.pipeline(sandbox), 1), 'portal', 'web page', cure='browser')

    def test_a_clock_that_is_an_hour_off(self):
        found = self.doctor(self.pipeline(self.sandbox()), 1, POTOK_CLOCK_OFFSET_MS='3600000')
        self.bad(found, 'clock', 'ahead', cure='timedatectl')
        found = self.doctor(self.pipeline(self.sandbox()), 0, POTOK_CLOCK_OFFSET_MS='-20000')
        self.bad(found, 'clock', 'behind', health='warning')

    # -- this machine

    def test_rights_and_places(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox)
        os.chmod(pipeline.home, 0o755)
        sqlite3.connect(pipeline.db_path).close()
        os.chmod(pipeline.db_path, 0o644)
        found = self.doctor(pipeline, 0)
        self.bad(found, 'home', 'mode 755', 'mode 644', health='warning', cure='chmod 600 ' + pipeline.db_path)
        self.bad(self.doctor(pipeline, 1, POTOK_HOME='/proc/potok'), 'home', '/proc')
        self.bad(self.doctor(pipeline, 1, POTOK_HOME=pipeline.db_path + '/home'), 'home', 'potok.db', cure='folder')
        deep = os.path.join(self.folder, 'd' * 90)
        self.bad(self.doctor(pipeline, 1, POTOK_HOME=deep), 'sockets', '107', cure='shorter')

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            address = '127.0.0.1:%d' % taken.getsockname()[1]
            found = self.doctor(self.pipeline(self.sandbox()), 1, METRICS_LISTEN=address)
            self.bad(found, 'ports', address, 'another program', cure='METRICS_LISTEN')
            found = self.doctor(self.pipeline(self.sandbox()), 1, GATEWAY_LISTEN=address)
            self.bad(found, 'ports', 'GATEWAY_LISTEN', address, 'another program', cure='GATEWAY_LISTEN')
        found = self.doctor(self.pipeline(self.sandbox()), 2, BITRIX_APPLICATION_TOKEN='tok1')
        self.bad(found, 'configuration', 'BITRIX_APPLICATION_TOKEN', '32')

    def test_a_variable_that_is_nearly_a_setting(self):
        found = self.doctor(self.pipeline(self.sandbox()), 0, BITRIX_WEBHOK_URL='x', POTOK_SPEED='9')
        self.bad(found, 'environment', 'nobody reads it', health='warning', cure='BITRIX_WEBHOOK_URL')
        self.assertEqual({'BITRIX_WEBHOK_URL', 'POTOK_SPEED'}, {f['about'] for f in found['environment']})

    def test_a_wrong_configuration_hides_no_other_mistake(self):
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    ulr: x\n')
        pipeline = self.pipeline(None)
        found = self.doctor(pipeline, 2, POTOK_CONFIG=path)
        self.bad(found, 'configuration', 'potok.yaml:3:5', 'url')
        self.assertEqual('ok', found['limits'][0]['health'])
        self.assertEqual('skipped', found['database'][0]['health'])
        self.bad(self.doctor(pipeline, 2), 'configuration', 'BITRIX_WEBHOOK_URL')

    # -- databases

    def test_a_file_that_is_no_database(self):
        pipeline = self.pipeline(self.sandbox())
        with open(pipeline.db_path, 'w') as f:
            f.write('this is a letter to grandmother, not a database ' * 50)
        found = self.doctor(pipeline, 1)
        self.bad(found, 'database', 'not an SQLite database')
        self.assertEqual('skipped', found['tables'][0]['health'])

    def test_a_damaged_database(self):
        pipeline = self.pipeline(self.sandbox())
        with sqlite3.connect(pipeline.db_path) as db:
            db.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)')
            db.executemany('INSERT INTO t VALUES (?, ?)', [(i, 'x' * 500) for i in range(2000)])
        db.close()
        with open(pipeline.db_path, 'r+b') as f:
            f.seek(4096 * 100)
            f.write(b'\xff' * 4096 * 4)
        self.bad(self.doctor(pipeline, 1, '--deep'), 'damage', 'damaged', cure='restore')

    def test_another_portals_and_a_newer_database(self):
        pipeline = self.pipeline(self.sandbox()).start()
        pipeline.sync('leads')
        pipeline.stop()
        with sqlite3.connect(pipeline.db_path) as db:
            db.execute("UPDATE potok_lease SET identity = 'other.bitrix24.ru'")
        db.close()
        self.bad(self.doctor(pipeline, 1), 'identity', 'other.bitrix24.ru', cure='potok config moved main')
        with sqlite3.connect(pipeline.db_path) as db:
            db.execute("INSERT INTO potok_migration VALUES (999, 'of tomorrow', 1)")
        db.close()
        self.bad(self.doctor(pipeline, 1), 'tables', 'newer', '999')

    def test_postgresql(self):
        server = postgres.Server()
        self.addCleanup(server.close)
        for sql in ('CREATE DATABASE good', "CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'",
                    'CREATE DATABASE fixed', 'ALTER DATABASE fixed SET default_transaction_read_only = on',
                    'CREATE DATABASE with_password', "CREATE ROLE guest LOGIN PASSWORD 'rightpassword'"):
            server.execute(sql)
        server.execute('REVOKE CREATE ON SCHEMA public FROM PUBLIC', 'good')
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox)
        self.bad(self.doctor(pipeline, 0, DATABASE_URL=server.url('good')), 'database', 'PostgreSQL', health='ok')
        self.bad(self.doctor(pipeline, 1, DATABASE_URL=server.url('good', user='guest')), 'rights', 'guest', cure='GRANT USAGE, CREATE')
        self.bad(self.doctor(pipeline, 1, DATABASE_URL=server.url('latin')), 'database', 'UTF8')
        self.bad(self.doctor(pipeline, 1, DATABASE_URL=server.url('fixed')), 'database', 'read-only', cure='PGOPTIONS=')
        self.bad(self.doctor(pipeline, 1, DATABASE_URL=server.url('nowhere')), 'database', 'createdb')
        wrong = server.url('with_password').replace('postgres@', 'guest:wrongpassword@')
        self.bad(self.doctor(pipeline, 1, DATABASE_URL=wrong), 'database', 'password')
        server.stop()
        self.bad(self.doctor(pipeline, 1, DATABASE_URL=server.url('good')), 'database', 'is the server running')


class Explain(Scenario):
    def test_a_code_a_status_and_a_whole_error_are_explained(self):
        pipeline = self.pipeline(None)
        for words, part, russian in ((['insufficient_scope'], 'Assign permissions', 'Настройке прав'),
                                     (['503'], 'QUERY_LIMIT_EXCEEDED', 'QUERY_LIMIT_EXCEEDED'),
                                     (['HTTP 400: Access denied.'], 'read all records', 'чтение всех записей'),
                                     ('portal main: HTTP 401 NO_AUTH_FOUND'.split(), 'Inbound webhook', 'Входящий вебхук')):
            said = pipeline.potok('doctor', *words)
            self.assertEqual((0, ''), (said.returncode, said.stderr))
            self.assertIn(part, said.stdout)
            said = pipeline.potok('doctor', *words, **RUSSIAN)
            self.assertIn(russian, said.stdout)
        answer = json.loads(pipeline.potok('doctor', '--json', 'expired_token').stdout)
        self.assertEqual({'code', 'means', 'whose', 'cure', 'potok'}, set(answer))

    def test_an_unknown_code_has_guesses(self):
        pipeline = self.pipeline(None)
        said = pipeline.potok('doctor', 'insuficient_scope')
        self.assertEqual(2, said.returncode)
        self.assertIn('insufficient_scope', said.stderr)
        said = pipeline.potok('doctor', 'potato')
        self.assertEqual(2, said.returncode)
        self.assertIn('QUERY_LIMIT_EXCEEDED', said.stderr)


class Language(Scenario):
    CASES = (('portals:\n  main:\n    ulr: x\n', 'неизвестный ключ "ulr" у портала main (может быть, "url"?)'),
             ('portals:\n\tmain:\n', 'в YAML отступы делают пробелами'),
             ('portals:\n  main:\n    url: http://a.bitrix24.ru/rest/1/abcdefabcdefabcd/\n', 'нужен https'),
             ('portals:\n  main:\n    url: https://a.bitrix24.ru/rest/1/abcdefabcdefabcd/\n    entities: [cats]\n',
              'есть deals, contacts, companies, leads'),
             ('settings:\n  JOBS_UNFINISHED: many\n', 'не целое число'))

    def test_mistakes_of_the_configuration(self):
        path = os.path.join(self.folder, 'potok.yaml')
        for text, words in self.CASES:
            with open(path, 'w') as f:
                f.write(text)
            with self.subTest(words):
                said = self.pipeline(None).potok('config', 'check', path, **RUSSIAN)
                self.assertEqual(1, said.returncode)
                self.assertIn(words, said.stderr)
                self.assertNotRegex(said.stderr, r'\b(the|is|not|wants|unknown)\b')

    def test_mistakes_of_the_database(self):
        pipeline = self.pipeline(self.sandbox())
        with open(pipeline.db_path, 'w') as f:
            f.write('this is a letter to grandmother, not a database ' * 50)
        said = pipeline.potok('up', '--once', **RUSSIAN)
        self.assertEqual(2, said.returncode)
        self.assertIn('этот файл не база SQLite', said.stderr)
        said = pipeline.potok('up', '--once', DATABASE_URL='oracle://x', **RUSSIAN)
        self.assertIn('эта сборка знает', said.stderr)


    def test_what_services_report_of_a_portal(self):
        url = self.sandbox().url.split('/rest/')[0] + '/rest/1/wrongwrongwrong1/'
        pipeline = self.pipeline(None, BITRIX_WEBHOOK_URL=url)
        pipeline.expect('portal.stopped', 'run.failed', 'sync.failed')
        said = pipeline.potok('up', '--once', **RUSSIAN)
        self.assertEqual(1, said.returncode)
        said = said.stdout + said.stderr
        self.assertIn('INVALID_CREDENTIALS', said)
        self.assertIn('сделайте на портале новый входящий вебхук', said)
        self.assertNotIn('webhook\'s secret', said)
        self.assertNotIn('make a new', said)
        said = pipeline.potok('status', **RUSSIAN)
        self.assertIn('сделайте на портале новый входящий вебхук', said.stdout + said.stderr)


class Settings(Scenario):
    def write(self, text):
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write(text)
        return path

    def test_each_value_is_shown_with_where_it_comes_from(self):
        path = self.write(YAML % 2)
        shown = self.pipeline(None).potok('config', 'show', path, '--origin', JOBS_UNFINISHED='4')
        self.assertEqual(0, shown.returncode, shown.stderr)
        rows = {line.split()[0]: line for line in shown.stdout.splitlines()[1:]}
        for name, where in (('portals.main.url', 'potok.yaml:2:3'), ('portals.main.tariff', 'default'),
                            ('portals.main.entities', 'default'), ('portals.main.prefix', 'potok.yaml:4:5'),
                            ('JOBS_UNFINISHED', 'environment'), ('FETCHERS', 'potok.yaml:7:3'),
                            ('DATABASE_URL', 'environment')):
            self.assertTrue(rows[name].rstrip().endswith(where), rows[name])
        self.assertNotIn('abcdefabcdefabcd', shown.stdout)

    def test_the_number_of_services_may_stand_in_the_file(self):
        told = self.pipeline(None).potok('config', 'check', self.write(YAML % 99))
        self.assertEqual(1, told.returncode, told.stdout)
        self.assertIn('potok.yaml:7:3', told.stderr)


if __name__ == '__main__':
    unittest.main()
