"""Alarms: told once to every target, resolved once, over restarts too; a portal that blocked its REST API is left alone."""
import contextlib
import json
import os
import signal
import sqlite3
import threading
import unittest

from support import web
from support.harness import Scenario, wait_for

TOKEN = '123456:abcDEF-secret_of_the_bot'
SECRET = 'sEcReTwEbHoOk1234'


class Targets:
    """A webhook, Telegram and the chat of a Bitrix24 portal in one server."""

    def __init__(self):
        self.calls, self.lock, self.broken = [], threading.Lock(), set()
        self.tries = 0
        targets = self

        class Handler(web.Quiet):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                kind = 'telegram' if self.path.startswith('/bot') else 'bitrix' if '/rest/' in self.path else 'webhook'
                with targets.lock:
                    targets.tries += 1
                    broken = kind in targets.broken
                    if not broken:
                        targets.calls.append((kind, self.path, body))
                answer = {'ok': True} if kind == 'telegram' else {'result': 7}
                if broken:
                    answer = {'ok': False, 'description': 'Unauthorized', 'error_description': 'Unauthorized', 'error': 'no'}
                data = json.dumps(answer).encode()
                self.send_response(401 if broken else 200)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = web.serve(Handler)
        self.server.handle_error = lambda *_: None      # who asks may be killed meanwhile
        self.url = self.server.url

    def close(self):
        self.server.stop()

    def settings(self):
        return {'ALARM_WEBHOOK_URL': self.url + '/alarm', 'ALARM_TELEGRAM_TOKEN': TOKEN, 'ALARM_TELEGRAM_CHAT': '-100200',
                'ALARM_TELEGRAM_URL': self.url, 'ALARM_BITRIX_URL': '%s/rest/12/%s/' % (self.url, SECRET),
                'ALARM_BITRIX_DIALOG': 'chat42'}

    def told(self, kind='webhook'):
        with self.lock:
            return [body for k, _, body in self.calls if k == kind]

    def states(self, name):
        return [body['state'] for body in self.told() if body['name'] == name]


class Alarms(Scenario):
    def targets(self):
        targets = Targets()
        self.addCleanup(targets.close)
        return targets

    def raised(self, pipeline):
        return {row['name'] for row in pipeline.query('SELECT name FROM potok_alarm WHERE gone_ms IS NULL')}

    def no_secret(self, pipeline, *texts):
        lines = ''.join(json.dumps(e) for e in pipeline.log()) + ''.join(texts)
        for secret in (TOKEN, TOKEN.split(':')[1], SECRET):
            self.assertNotIn(secret, lines)

    def test_a_stopped_portal_is_told_once_everywhere_and_so_is_its_repair(self):
        targets = self.targets()
        sandbox = self.sandbox(deals=60, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox, ALARM_LANGUAGE='ru', **targets.settings())
        pipeline.expect('portal.stopped', 'sync.failed')
        pipeline.start()
        pipeline.sync('leads')
        sandbox.fault('auth401', 1000, method='batch')
        self.assertEqual(1, pipeline.potok('sync', 'leads', '--wait').returncode)
        wait_for(lambda: all(targets.told(kind) for kind in ('webhook', 'telegram', 'bitrix')), 'three calls', 20)
        one = targets.told()[0]
        self.assertEqual(('portal.stopped', 'error', 'raised', 'main', ''),
                         tuple(one[k] for k in ('name', 'level', 'state', 'portal', 'entity')))
        self.assertIn('Что делать', one['message'])
        self.assertEqual('-100200', targets.told('telegram')[0]['chat_id'])
        self.assertIn('портал остановлен', targets.told('telegram')[0]['text'])
        self.assertEqual('chat42', targets.told('bitrix')[0]['DIALOG_ID'])
        self.assertEqual({'/bot%s/sendMessage' % TOKEN, '/rest/12/%s/im.message.add.json' % SECRET, '/alarm'},
                         {path for _, path, _ in targets.calls})
        status = pipeline.potok('status')
        self.assertIn('the portal is stopped', status.stdout)
        self.assertIn('potok doctor', status.stdout)
        wait_for(lambda: pipeline.query('SELECT 1 FROM potok_alarm WHERE told_ms IS NOT NULL'), 'it is kept as told')

        pipeline.stop()
        self.assertIn('portal.stopped', {a['name'] for a in json.loads(pipeline.potok('alarms', '--json').stdout)})
        pipeline.start()
        self.assertEqual(1, pipeline.potok('sync', 'leads', '--wait').returncode)     # it is stopped again
        self.assertEqual(['raised'], targets.states('portal.stopped'), 'a restart tells nothing twice')

        sandbox.post('faults/clear')
        pipeline.sync('leads')
        wait_for(lambda: targets.states('portal.stopped') == ['raised', 'resolved'], 'resolved')
        wait_for(lambda: not self.raised(pipeline), 'nothing is raised')
        self.assertIn('nothing is raised', pipeline.potok('alarms').stdout)
        self.no_secret(pipeline, status.stdout)

    def test_a_target_that_is_down_is_tried_again_and_named_once(self):
        targets = self.targets()
        targets.broken = {'telegram'}
        sandbox = self.sandbox(deals=60, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox, **targets.settings())
        pipeline.expect('portal.stopped', 'sync.failed', 'alarm.target_failed')
        pipeline.start()
        sandbox.fault('auth401', 1000, method='batch')
        pipeline.potok('sync', 'leads', '--wait')
        tested = pipeline.potok('alarms', '--test')
        self.assertEqual(1, tested.returncode)
        self.assertIn('webhook: arrived', tested.stdout)
        self.assertIn('bitrix: arrived', tested.stdout)
        self.assertIn('telegram: did not arrive: telegram: HTTP 401: Unauthorized', tested.stdout)
        wait_for(lambda: len([e for e in pipeline.log() if e.get('event') == 'alarm.target_failed']) == 1, 'a warning')
        tries = targets.tries
        wait_for(lambda: targets.tries >= tries + 1, 'tried again')
        targets.broken = set()
        wait_for(lambda: targets.told('telegram'), 'it arrives')
        self.assertEqual(0, pipeline.potok('alarms', '--test').returncode)
        self.assertEqual(1, len([e for e in pipeline.log() if e.get('event') == 'alarm.target_failed']))
        self.no_secret(pipeline, tested.stdout, tested.stderr)

    def calls(self, sandbox):
        return sandbox.stats()['requests']

    def test_a_portal_that_blocks_is_left_alone_and_comes_back(self):
        targets = self.targets()
        sandbox = self.sandbox(deals=60, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox, PORTAL_OVERLOAD_PAUSE='3s', **targets.settings())
        pipeline.expect('portal.blocked', 'portal.blocked_still', 'service.died')
        pipeline.start()
        pipeline.sync('leads')
        sandbox.fault('overload', 1000, method='batch')
        before = self.calls(sandbox)
        sync = pipeline.potok('sync', 'deals')
        self.assertEqual(0, sync.returncode)
        state = wait_for(lambda: [p for p in (pipeline.status() or {}).get('portals', []) if p['state'] == 'blocked'], 'blocked')
        self.assertGreater(state[0]['try_at_ms'], 0)
        self.assertEqual(before + 1, self.calls(sandbox), 'one call, then none')
        wait_for(lambda: targets.states('portal.overload') == ['raised'], 'it is told')
        wait_for(lambda: pipeline.query('SELECT 1 FROM potok_alarm WHERE told_ms IS NOT NULL'), 'it is kept as told')
        pipeline.kill('scheduler')
        wait_for(lambda: pipeline.answers(), 'the next scheduler')
        self.assertEqual(before + 1, self.calls(sandbox), 'a new scheduler does not hammer')
        wait_for(lambda: self.calls(sandbox) >= before + 2, 'one try', 20)
        sandbox.post('faults/clear')
        self.assertEqual(before + 2, self.calls(sandbox), 'and no other')
        pipeline.potok('sync', 'deals')         # the operator wants it tried
        wait_for(lambda: targets.states('portal.overload') == ['raised', 'resolved'], 'it is over')
        pipeline.sync('deals')
        self.assertEqual(60, pipeline.query('SELECT count(*) AS n FROM crm_deals')[0]['n'])

    def test_what_stands_still_or_waits_for_people_is_told(self):
        targets = self.targets()
        sandbox = self.sandbox(deals=60, contacts=10, companies=10, leads=10)
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    url: %s\n    drift: freeze\nsettings:\n' % sandbox.url)
            f.write(''.join('  %s: "%s"\n' % pair for pair in dict(targets.settings(), ALARM_AFTER='1s', ALARM_MARK_AGE='1s').items()))
        pipeline = self.pipeline(None, POTOK_CONFIG=path)
        pipeline.expect('fetcher.lost', 'job.given_up', 'fetcher.none', 'mark.old', 'fields.drift')
        pipeline.start()
        pipeline.sync('deals', 'leads')
        sandbox.post('field?entity=deals', {'name': 'UF_CRM_NEW', 'type': 'string', 'multiple': False, 'fill': 50})
        pipeline.sync('deals')
        pipeline.kill('fetcher', how=signal.SIGSTOP)
        self.addCleanup(pipeline.kill, 'fetcher', how=signal.SIGCONT)
        self.assertEqual(0, pipeline.potok('sync', 'leads', '--id', '1').returncode)
        raised = wait_for(lambda: {'fetcher.none', 'mark.old', 'fields.drift'} <= self.raised(pipeline), 'three are raised', 25)
        self.assertTrue(raised)
        self.assertEqual('UF_CRM_NEW', [body['text'] for body in targets.told() if body['name'] == 'fields.drift'][0])
        self.assertEqual(['leads'], [body['entity'] for body in targets.told() if body['name'] == 'mark.old'])
        status = pipeline.potok('status').stdout
        self.assertTrue(status.startswith('ALARM') or status.startswith('warning'), status[:200])
        pipeline.kill('fetcher', how=signal.SIGCONT)
        self.assertEqual(0, pipeline.potok('schema', 'accept', 'deals', 'UF_CRM_NEW').returncode)
        for name in 'fetcher.none', 'mark.old', 'fields.drift':
            wait_for(lambda: targets.states(name) == ['raised', 'resolved'], name + ' is over', 25)
        self.no_secret(pipeline, status, pipeline.potok('config', 'show').stdout)

    def test_a_database_that_fails_and_a_writer_that_is_silent_are_told(self):
        """What is raised while the database is away is told at once, and kept when it is back."""
        targets = self.targets()
        sandbox = self.sandbox(deals=60, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox, ALARM_AFTER='1s', DONE_DEADLINE='2s', **targets.settings())
        pipeline.expect('database.retry', 'job.given_up', 'job.retry', 'alarm.raised')
        pipeline.start()
        pipeline.sync('leads')
        pipeline.kill('writer', how=signal.SIGSTOP)
        self.addCleanup(pipeline.kill, 'writer', how=signal.SIGCONT)
        self.assertEqual(0, pipeline.potok('sync', 'leads', '--id', '1').returncode)
        wait_for(lambda: 'writer.none' in self.raised(pipeline), 'the writer is missed', 20)
        pipeline.kill('writer', how=signal.SIGCONT)
        wait_for(lambda: targets.states('writer.none') == ['raised', 'resolved'], 'it is there again', 20)

        with contextlib.closing(sqlite3.connect(pipeline.db_path, timeout=20, isolation_level=None)) as other:
            other.execute('BEGIN IMMEDIATE')
            pipeline.potok('sync', 'leads', '--id', '1', timeout=30)
            wait_for(lambda: targets.states('database.lost') == ['raised'], 'it is told', 30)
            other.execute('ROLLBACK')
        wait_for(lambda: targets.states('database.lost') == ['raised', 'resolved'], 'and over', 20)
        rows = wait_for(lambda: pipeline.query("SELECT gone_ms FROM potok_alarm WHERE name = 'database.lost' AND gone_ms IS NOT NULL"),
                        'it is kept', 10)
        self.assertEqual(1, len(rows))
        pipeline.sync('leads')


if __name__ == '__main__':
    unittest.main()
