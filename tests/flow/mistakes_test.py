"""Mistakes of the operator: each is told before it does harm, with what, where and what to do."""
import json
import os
import re
import socket
import sqlite3
import subprocess
import time
import unittest

from support.harness import ALL_SERVICES, BIN, Scenario, wait_for

YAML = (
    ('portals:\n  main:\n    ulr: https://a.bitrix24.ru/rest/1/abcdefabcdefabcd/\n', ':3:5', 'ulr', 'url'),
    ('portals:\n  main:\n    url: https://a.bitrix24.ru/rest/1/abcdefabcdefabcd/\n    tariff: golden\n', ':4:', 'golden', 'standard'),
    ('portals:\n  main:\n    url: http://a.bitrix24.ru/rest/1/abcdefabcdefabcd/\n', ':3:', 'https'),
    ('portals:\n  main:\n    url: https://a.bitrix24.ru/rest/1/abcdefabcdefabcd/\n    entities: [deals, dels]\n', ':4:', 'dels', 'deals'),
    ('portals:\n\tmain:\n', ':2:'),
    ('settings:\n  JOB_DEADLIN: 5s\n', ':2:', 'JOB_DEADLIN', 'JOB_DEADLINE'),
    ('settings:\n  JOBS_UNFINISHED: many\n', 'JOBS_UNFINISHED', 'many', ':2'),
    ('portals: [\n', ':2:'),
    ('portals:\n  main:\n    url: https://a.bitrix24.ru/rest/1/abcdefabcdefabcd/\n  main:\n    tariff: standard\n', ':4:', 'main'),
)


class Mistakes(Scenario):
    def fails(self, pipeline, *words, code=2, command=('up', '--once'), **environment):
        code = 1 if command[:2] == ('config', 'check') else code    # what it was asked for has an answer
        pipeline.expect('service.failed', 'portal.stopped', 'run.failed', 'config.wrong')
        done = pipeline.potok(*command, timeout=60, **environment)
        said = done.stdout + done.stderr
        self.assertEqual(code, done.returncode, said)
        for word in words:
            self.assertIn(word, said)
        self.assertNotIn('abcdefabcdefabcd', said, 'no secret is shown')
        return said

    def test_yaml_is_told_with_line_and_column(self):
        pipeline = self.pipeline(None)
        path = os.path.join(self.folder, 'potok.yaml')
        for text, *words in YAML:
            with self.subTest(words):
                with open(path, 'w') as f:
                    f.write(text)
                self.fails(pipeline, *words, command=('config', 'check', path))
                self.fails(pipeline, *words, POTOK_CONFIG=path)

    def test_all_mistakes_are_told_in_one_run(self):
        """Of the file and of the environment, those that services find too; each once, and nothing that only follows from one."""
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n'
                    '  main:\n    ulr: https://a.bitrix24.ru/rest/1/abcdefabcdefabcd/\n    tariff: golden\n'
                    '    entities: [dels, {contacts: {drift: frozen, interval: soon}}]\n'
                    '  Two:\n    url: https://b.bitrix24.ru/rest/1/abcdefabcdefabcd/\n'
                    '  three:\n    app:\n      adress: https://c.bitrix24.ru\n      client_id: "a b"\n'
                    'setings: 5\n'
                    'settings:\n  JOB_DEADLIN: 5s\n  JOBS_UNFINISHED: many\n  FETCHERS: 99\n')
        told = (('potok.yaml:3:5: ', 'ulr', '"url"'), ('potok.yaml:4:5: ', 'golden', 'standard'), ('potok.yaml:5:16: ', 'dels', '"deals"'),
                ('potok.yaml:5:34: ', 'frozen', 'freeze'), ('potok.yaml:5:49: ', 'soon', '10m'), ('potok.yaml:6:3: ', 'Two', 'small letter'),
                ('potok.yaml:10:7: ', 'adress', 'address'), ('potok.yaml:11:7: ', 'client_id', 'a space'),
                ('potok.yaml:12:1: ', 'setings', 'settings'), ('potok.yaml:14:3: ', 'JOB_DEADLIN', 'JOB_DEADLINE'),
                ('JOBS_UNFINISHED: "many"', 'potok.yaml:15:3', '1..64'), ('FETCHERS: "99"', 'potok.yaml:16:3', '1 to 32'),
                ('BITRIX_TARIFF: "slow"', 'RATE/BURST'), ('LOG_LEVEL: "LOUD"', 'WARNING'), ('JOB_DEADLINE: "soon"', 'environment', '10s'),
                ('API_KEY: number 2', '32'), ('GATEWAY_TLS_CERT: /nowhere.pem',), ('ALARM_LANGUAGE: "de"', 'ru nor en'),
                ('DATABASE_URL', 'oracle'), ('STOP_TIMEOUT: "never"', '10s'))
        environment = dict(BITRIX_TARIFF='slow', LOG_LEVEL='LOUD', JOB_DEADLINE='soon', API_KEY='k' * 32 + ',short', STOP_TIMEOUT='never',
                           GATEWAY_TLS_CERT='/nowhere.pem', GATEWAY_TLS_KEY='/nowhere.pem', ALARM_LANGUAGE='de', DATABASE_URL='oracle://x')
        said = self.fails(self.pipeline(None), command=('config', 'check', path), **environment)
        lines = said.splitlines()
        for first, *words in told:
            with self.subTest(first):
                found = [line for line in lines if first in line and all(word in line for word in words)]
                self.assertEqual(1, len(found), said)
        self.assertEqual(len(told) + 1, len(lines), said)
        self.assertEqual('potok: mistakes in the configuration: %d' % len(told), lines[-1])
        russian = self.fails(self.pipeline(None), command=('config', 'check', path), LC_ALL='ru_RU.UTF-8', **environment)
        self.assertEqual(len(told) + 1, len(russian.splitlines()), russian)

    def test_a_service_tells_all_its_mistakes(self):
        done = subprocess.run([BIN + '/potok-gateway'], stderr=subprocess.PIPE, text=True, timeout=30,
                              env=dict(os.environ, POTOK_HOME=self.folder, LOG_LEVEL='LOUD', STATUS_INTERVAL='never'))
        self.assertEqual(2, done.returncode)
        events = [(e['event'], e['details']['error']) for e in map(json.loads, done.stderr.splitlines())]
        self.assertEqual(['service.failed', 'config.wrong'], [event for event, _ in events])
        self.assertIn('STATUS_INTERVAL', events[0][1])
        self.assertIn('LOG_LEVEL', events[1][1])

    def test_a_good_file_is_good(self):
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    url: https://a.bitrix24.ru/rest/1/abcdefabcdefabcd/\n    tariff: 5/250\n')
        done = self.pipeline(None).potok('config', 'check', path)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_no_portal(self):
        self.fails(self.pipeline(None), 'BITRIX_WEBHOOK_URL')
        for command in (('verify',), ('verify', 'deals'), ('webhooks',), ('config', 'check')):
            said = self.fails(self.pipeline(None), 'there is no portal', command=command)
            self.assertNotIn('in use by', said)

    def test_another_terminal_that_was_not_told_of_the_portal(self):
        """Its own environment names none; the services that run were given one in theirs."""
        pipeline = self.pipeline(self.sandbox()).start()
        wait_for(lambda: 'logs -f' in pipeline.printed(), 'the first sync to end')
        self.assertIn('  %s/potok status\n' % BIN, pipeline.printed(), 'it is called as it was started')
        for command in (('verify', 'deals'), ('webhooks',), ('doctor',)):
            done = pipeline.potok(*command, BITRIX_WEBHOOK_URL='')
            said = done.stdout + done.stderr
            self.assertIn('there is no portal: set BITRIX_WEBHOOK_URL', said)
            self.assertIn(pipeline.home + ' is in use by a `potok up`', said)

    def test_no_database(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox)
        with open(pipeline.db_path, 'w') as f:
            f.write('this is a letter to grandmother, not a database ' * 50)
        self.fails(pipeline, pipeline.db_path, 'not a')

    def test_a_read_only_database(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox)
        self.fails(pipeline, 'potok.db', DATABASE_URL='sqlite:////proc/potok.db')

    def test_a_database_of_another_kind(self):
        self.fails(self.pipeline(self.sandbox()), 'oracle', DATABASE_URL='oracle://scott:tiger@db/x')

    def test_a_locked_database_is_waited_for(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox).start()
        pipeline.expect('job.retry', 'database.busy', 'database.retry', 'job.given_up')
        pipeline.sync('leads')
        holder = sqlite3.connect(pipeline.db_path, isolation_level=None)
        holder.execute('BEGIN IMMEDIATE')
        pipeline.potok('sync', 'deals', '--full')
        sandbox_requests = sandbox.stats()['requests']
        self.assertGreater(sandbox_requests, 0)
        holder.execute('ROLLBACK')
        holder.close()
        pipeline.sync('deals')
        self.assertEqual(400, pipeline.query('SELECT count(*) FROM crm_deals')[0][0])

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            address = '127.0.0.1:%d' % taken.getsockname()[1]
            self.fails(self.pipeline(self.sandbox()), 'METRICS_LISTEN', address, METRICS_LISTEN=address)

    def test_settings_of_webhooks_are_checked_before_anything_runs(self):
        pipeline = self.pipeline(self.sandbox())
        cases = (
            ({'BITRIX_APPLICATION_TOKEN': 'tok1'}, 'BITRIX_APPLICATION_TOKEN', '32'),
            ({'API_KEY': 'k' * 32 + ',short'}, 'API_KEY', 'number 2', '32'),
            ({'GATEWAY_LISTEN': '0.0.0.0:0'}, 'GATEWAY_LISTEN', 'outside'),
            ({'GATEWAY_LISTEN': '8080'}, 'GATEWAY_LISTEN', 'HOST:PORT'),
            ({'GATEWAY_TLS_CERT': '/etc/hostname'}, 'GATEWAY_TLS_KEY', 'both'),
            ({'GATEWAY_TLS_CERT': '/nowhere.pem', 'GATEWAY_TLS_KEY': '/nowhere.pem'}, 'GATEWAY_TLS_CERT', '/nowhere.pem'),
        )
        for environment, *words in cases:
            with self.subTest(words):
                for command in (('config', 'check'), ('up',)):
                    said = self.fails(pipeline, *words, command=command, **environment)
                self.assertEqual(1, len(said.splitlines()), said)
        said = self.fails(pipeline, 'нужно хотя бы 32', command=('up',), BITRIX_APPLICATION_TOKEN='tok1', LC_ALL='ru_RU.UTF-8')
        self.assertEqual(1, len(said.splitlines()), said)
        self.fails(pipeline, 'GATEWAY_TLS_CERT: /nowhere.pem: нет такого файла', command=('config', 'check'), LC_ALL='ru_RU.UTF-8',
                   GATEWAY_TLS_CERT='/nowhere.pem', GATEWAY_TLS_KEY='/nowhere.pem')

    def test_the_webhooks_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            address = '127.0.0.1:%d' % taken.getsockname()[1]
            self.fails(self.pipeline(self.sandbox()), 'GATEWAY_LISTEN', address, 'ss -ltnp', command=('up',), GATEWAY_LISTEN=address)

    def test_a_second_up_in_the_same_home(self):
        pipeline = self.pipeline(self.sandbox()).start()
        self.fails(pipeline, pipeline.home, command=('up',))

    def test_an_unknown_command_and_an_unknown_entity(self):
        pipeline = self.pipeline(self.sandbox()).start()
        self.fails(pipeline, 'sync', command=('snyc',))
        self.fails(pipeline, 'deals', command=('sync', 'dels'))

    def test_a_wrong_setting(self):
        self.fails(self.pipeline(self.sandbox()), 'JOB_DEADLINE', 'soon', JOB_DEADLINE='soon')

    def test_a_service_that_never_gets_ready_is_given_up(self):
        pipeline = self.pipeline(self.sandbox())
        pipeline.expect('service.died')
        os.makedirs(pipeline.home + '/run')
        os.makedirs(pipeline.home + '/run/mapper.1.pid')      # a folder where the file must be
        self.fails(pipeline, 'mapper', code=2)

    def test_the_log_speaks_one_language_whoever_reads_the_screen(self):
        pipeline = self.pipeline(self.sandbox(), LANG='ru_RU.UTF-8').start()
        pipeline.expect('service.died', 'fetcher.lost', 'job.given_up', 'job.retry', 'bus.peer_lost')
        pipeline.kill('mapper')
        died = wait_for(lambda: [e for e in pipeline.log() if e['event'] == 'service.died'], 'its death is told')
        self.assertTrue(died[0]['details']['how'].startswith('signal 9 ('), died[0])
        with open(pipeline.output.name) as f:
            wait_for(lambda: 'сигнал 9 (' in (f.seek(0), f.read())[1], 'and on the screen')

    def test_every_service_explains_itself(self):
        for service in ALL_SERVICES:
            said = subprocess.run([BIN + '/potok-' + service, '--help'], stdout=subprocess.PIPE, text=True)
            self.assertEqual(0, said.returncode)
            self.assertIn('METRICS_LISTEN', said.stdout)
            said = subprocess.run([BIN + '/potok-' + service, '--colour'], stderr=subprocess.PIPE, text=True)
            self.assertEqual(2, said.returncode)


    def test_every_setting_that_a_file_may_give_is_some_services_own(self):
        with open('shared/run/settings.def') as f:
            listed = set(re.findall(r'^SETTING_NAME\((\w+)\)', f.read(), re.M))
        known = {'BITRIX_WEBHOOK_URL', 'BITRIX_DOMAIN', 'BITRIX_CLIENT_ID', 'BITRIX_CLIENT_SECRET', 'BITRIX_OAUTH_URL', 'BITRIX_TARIFF', 'CONNECT_PATIENCE', 'SCHEDULERS', 'FETCHERS', 'MAPPERS', 'WRITERS'}     # config.h; the potok command's
        for service in ALL_SERVICES:
            table = subprocess.run([BIN + '/potok-' + service, '--settings'], stdout=subprocess.PIPE, text=True).stdout
            known |= set(re.findall(r'^\| `?(\w+)`? \|', table, re.M)) - {'name', 'setting'}
        self.assertEqual(listed, known)


class Running(Scenario):
    def test_health_metrics_status_and_logs(self):
        import urllib.request
        pipeline = self.pipeline(self.sandbox()).start()
        pipeline.sync()
        status = pipeline.status()
        services = {s['service']: s for s in wait_for(lambda: self.all_of(pipeline), 'every service reports')}
        self.assertEqual(set(ALL_SERVICES), set(services))
        for service in services.values():
            for route in 'health', 'ready', 'metrics':
                with urllib.request.urlopen('http://%s/%s' % (service['metrics'], route), timeout=5) as answer:
                    self.assertEqual(200, answer.status)
        self.assertEqual(['done'], sorted({r['state'] for r in status['runs']}))
        gateway = services['gateway']['detail']
        self.assertIn('webhooks: %s/webhook/bitrix, waiting for the scheduler 0' % gateway['listen'], pipeline.potok('status').stdout)
        self.assertIn('Webhooks: http://%s/webhook/bitrix (from this machine only)' % gateway['listen'], pipeline.printed())
        odd = pipeline.potok('status', 'foo')
        self.assertEqual((2, True), (odd.returncode, 'foo' in odd.stderr))
        logs = pipeline.potok('logs', '--level', 'INFO')
        self.assertIn('service.ready', logs.stdout)
        events = [e['event'] for e in pipeline.log() if e['service'] == 'writer']
        self.assertEqual(['service.starting', 'service.ready'], [e for e in events if e.startswith('service.')])
        self.assertEqual(0, pipeline.stop())
        self.assertEqual(len(ALL_SERVICES), sum(e['event'] == 'service.stopped' for e in pipeline.log()))
        self.assertEqual(1, pipeline.potok('status').returncode)
        self.assertRegex(pipeline.potok('version').stdout, r'\d+\.\d+\.\d+')

    def test_a_database_that_says_nothing_is_told_once_and_soon(self):
        pipeline = self.pipeline(self.sandbox()).start()
        pipeline.sync('leads')
        with socket.socket() as silent:
            silent.bind(('127.0.0.1', 0))
            silent.listen(64)
            url = 'postgresql://me:secret@127.0.0.1:%d/x' % silent.getsockname()[1]
            for up in True, False:
                if not up:
                    self.assertEqual(0, pipeline.stop())
                for command in (('status',), ('status', '--json')):
                    with self.subTest(command, up=up):
                        began = time.monotonic()
                        done = pipeline.potok(*command, DATABASE_URL=url)
                        self.assertLess(time.monotonic() - began, 10)
                        self.assertEqual(0 if up else 1, done.returncode, done.stderr)
                        self.assertEqual(1, done.stderr.count('no answer within'), done.stderr)
                        self.assertNotIn('secret', done.stdout + done.stderr)
                        self.says_what_it_knows(done.stdout, '--json' in command, up)

    def says_what_it_knows(self, said, is_json, up):
        if not is_json:
            self.assertEqual(up, 'scheduler.1' in said and 'main/leads' in said, said)
            return
        told = json.loads(said)
        self.assertIn('no answer within', told['database_error'])
        self.assertEqual((None, None), (told['freshness'], told['drift']))
        self.assertEqual(up, told['running'])
        self.assertEqual(['leads'] if up else [], [r['entity'] for r in told['runs']])

    def all_of(self, pipeline):
        status = pipeline.status()
        return status and len(status['services']) == len(ALL_SERVICES) and status['services']


if __name__ == '__main__':
    unittest.main()
