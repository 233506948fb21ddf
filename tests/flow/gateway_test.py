"""Webhooks: what was answered is a mark, then a row; nothing answered is lost, whatever dies; what is wrong is refused by reason."""
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import threading
import time
import unittest
import urllib.parse

from support import truth
from support.harness import BIN, Scenario, wait_for

TOKEN = 'app-token-' + 'a' * 32
KEY = 'api-key-' + 'k' * 32
FORM = 'application/x-www-form-urlencoded'


def event(name, record, token=TOKEN, domain='127.0.0.1', **more):
    pairs = {'event': name, 'data[FIELDS][ID]': record, 'ts': int(time.time()), 'auth[domain]': domain,
             'auth[application_token]': token}
    pairs.update(more)
    return urllib.parse.urlencode(pairs)


class Gateway:
    """A client of the gateway that `potok up` started."""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.address = wait_for(lambda: self.find(), 'the gateway listens')

    def find(self):
        for line in self.pipeline.log():
            if line.get('event') == 'gateway.listening':
                return line['details']['address']

    def send(self, body, path='/webhook/bitrix', method='POST', timeout=20, **headers):
        connection = http.client.HTTPConnection(self.address, timeout=timeout)
        try:
            connection.request(method, path, body if isinstance(body, bytes) else body.encode(),
                               {'Content-Type': FORM, **{k.replace('_', '-'): v for k, v in headers.items()}})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors='replace')
        finally:
            connection.close()

    def metrics(self):
        return self.send('', '/metrics', 'GET')[1]


class Webhooks(Scenario):
    def start(self, *options, sizes=None, **environment):
        sandbox = self.sandbox(*options, **(sizes or dict(deals=300, contacts=20, companies=10, leads=10)))
        environment.setdefault('BITRIX_APPLICATION_TOKEN', TOKEN)
        environment.setdefault('API_KEY', 'older-' + 'o' * 32 + ',' + KEY)
        pipeline = self.pipeline(sandbox, **environment).start()
        pipeline.sync()
        return sandbox, pipeline, Gateway(pipeline)

    def row(self, pipeline, record):
        rows = pipeline.query('SELECT title, _deleted_at FROM crm_deals WHERE id = ?', record)
        return dict(rows[0]) if rows else None

    def test_a_change_is_a_row_soon_after_its_webhook(self):
        sandbox, pipeline, gateway = self.start()
        ids = sorted(sandbox.truth('deals'))
        sandbox.post('set?entity=deals&id=%d' % ids[0], {'TITLE': 'Ромашка'})
        began = time.monotonic()
        status, answer = gateway.send(event('ONCRMDEALUPDATE', ids[0]))
        self.assertEqual((200, 'success'), (status, json.loads(answer)['status']))
        wait_for(lambda: self.row(pipeline, ids[0])['title'] == 'Ромашка', 'the change is a row', 10, 0.01)
        print('webhook to row: %.3f s' % (time.monotonic() - began))

    def test_creation_deletion_and_fields_follow_their_events(self):
        sandbox, pipeline, gateway = self.start()
        before = set(sandbox.truth('deals'))
        sandbox.post('change?entity=deals&count=1&kind=create')
        new = (set(sandbox.truth('deals')) - before).pop()
        sandbox.post('change?entity=deals&count=1&kind=delete')
        gone = (before - set(sandbox.truth('deals'))).pop()
        self.assertEqual(200, gateway.send(event('ONCRMDEALADD', new))[0])
        self.assertEqual(200, gateway.send(event('ONCRMDEALDELETE', gone))[0])
        wait_for(lambda: self.row(pipeline, new), 'the new deal is a row', 10)
        wait_for(lambda: self.row(pipeline, gone)['_deleted_at'], 'the deleted deal is gone', 10)
        sandbox.post('field?entity=deals', {'name': 'UF_CRM_HOOK', 'type': 'string', 'multiple': False})
        self.assertEqual(200, gateway.send(event('ONCRMDEALUSERFIELDADD', 1))[0])
        wait_for(lambda: pipeline.query("SELECT 1 FROM potok_field WHERE name = 'UF_CRM_HOOK'"), 'the field is learnt', 10)

    def test_json_of_programs_has_an_answer_for_each_deal(self):
        sandbox, pipeline, gateway = self.start()
        ids = sorted(sandbox.truth('deals'))[:3]
        for record in ids:
            sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'json %d' % record})
        one = {'event': 'ONCRMDEALUPDATE', 'data': {'FIELDS': {'ID': ids[0]}}}
        status, answer = gateway.send(json.dumps(one), '/webhook/deal', Content_Type='application/json', X_API_Key=KEY)
        answer = json.loads(answer)
        self.assertEqual((200, 'success', ids[0], None), (status, answer['status'], answer['source_deal_id'], answer['target_deal_id']))
        many = [{'event': 'ONCRMDEALUPDATE', 'data': {'FIELDS': {'ID': i}}} for i in ids[1:]]
        many += [{'event': 'ONTASKADD', 'data': {'FIELDS': {'ID': 7}}}, {'event': 'ONCRMDEALUPDATE', 'data': {'FIELDS': {'ID': 'x'}}}]
        status, answer = gateway.send(json.dumps(many), '/webhook/deal', Content_Type='application/json', X_API_Key=KEY)
        self.assertEqual(['success', 'success', 'skipped', 'error'], [a['status'] for a in json.loads(answer)])
        for record in ids:
            wait_for(lambda: self.row(pipeline, record)['title'] == 'json %d' % record, 'deal %d follows' % record, 10)

    def test_what_is_wrong_is_refused_by_reason_and_changes_nothing(self):
        sandbox, pipeline, gateway = self.start()
        good = event('ONCRMDEALUPDATE', 1)
        cases = [
            (200, 'taken', good, {}),
            (401, 'no_token', 'event=ONCRMDEALUPDATE&data[FIELDS][ID]=1', {}),
            (401, 'bad_token', event('ONCRMDEALUPDATE', 1, token='old'), {}),
            (403, 'domain', event('ONCRMDEALUPDATE', 1, domain='evil.example'), {}),
            (400, 'bad_id', event('ONCRMDEALUPDATE', 0), {}),
            (400, 'bad_id', event('ONCRMDEALUPDATE', -7), {}),
            (400, 'bad_id', event('ONCRMDEALUPDATE', 'abc'), {}),
            (400, 'bad_id', event('ONCRMDEALUPDATE', 10 ** 30), {}),
            (200, 'unknown', event('ONSOMETHINGNEW', 1), {}),
            (200, 'not_mirrored', event('ONCRMLEADADD', 1), {'domain_is': None}),
            (200, 'app', event('ONAPPINSTALL', 1), {}),
            (400, 'many_pairs', '&'.join('k%d=1' % i for i in range(10000)) + '&' + good, {'X_API_Key': KEY}),
            (400, 'no_form', 'a=1', {'X_API_Key': KEY}),
            (400, 'no_form', b'\xff\xfe\x00', {'X_API_Key': KEY}),
            (415, 'type', good, {'X_API_Key': KEY, 'Content_Type': 'multipart/form-data; boundary=x'}),
            (405, 'method', good, {'method': 'PUT'}),
            (404, 'no_path', good, {'path': '/webhook/bitrix/'}),
            (400, 'no_json', '{"event":', {'path': '/webhook/deal', 'Content_Type': 'application/json', 'X_API_Key': KEY}),
            (400, 'no_json', '[' * 100000, {'path': '/webhook/deal', 'Content_Type': 'application/json', 'X_API_Key': KEY}),
            (400, 'no_items', '[]', {'path': '/webhook/deal', 'Content_Type': 'application/json', 'X_API_Key': KEY}),
        ]
        for status, reason, body, how in cases:
            if 'domain_is' in how:
                continue
            got = gateway.send(body, **how)
            self.assertEqual((status, reason), (got[0], json.loads(got[1])['reason']), got)
        self.assertEqual(413, gateway.send(b'x' * (11 << 20))[0])
        self.cut_short(gateway)
        metrics = gateway.metrics()
        for reason in 'bad_token', 'domain', 'bad_id', 'many_pairs', 'no_form', 'type', 'method', 'no_path', 'no_json', 'no_items':
            self.assertIn('webhook_errors_total{error_type="%s"}' % reason, metrics)
        self.assertIn('webhook_processed_total{status="unknown"} 1', metrics)
        self.assertIn('webhook_errors_total{error_type="too_big"} 1', metrics)
        self.assertNotIn('evil.example', metrics)
        for line in pipeline.log():
            self.assertNotIn(TOKEN, json.dumps(line))
        truth.check(self, pipeline, sandbox, ['deals'])

    def cut_short(self, gateway):
        """A body that never comes, and one that breaks off: the gateway goes on."""
        host, port = gateway.address.rsplit(':', 1)
        for text in b'POST /webhook/bitrix HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf', b'POST ', b'\r\n\r\n', b'\x00' * 4000:
            with socket.create_connection((host, int(port)), 5) as s:
                s.sendall(text)
        self.assertEqual(200, gateway.send('', '/health', 'GET')[0])

    def memory(self, pipeline):
        with open('/proc/%d/status' % pipeline.pid('gateway'), encoding='utf-8') as status:
            return next(int(line.split()[1]) for line in status if line.startswith('VmRSS:')) // 1024

    def test_strangers_do_not_fill_the_memory(self):
        """Neither with a tree of millions of nodes, nor with many big bodies that never end."""
        sandbox, pipeline, gateway = self.start()
        began = time.monotonic()
        status, _ = gateway.send('[' + '{},' * 3000000 + '{}]', '/webhook/deal', Content_Type='application/json')
        self.assertEqual(401, status)
        self.assertLess(time.monotonic() - began, 3)
        host, port = gateway.address.rsplit(':', 1)
        with contextlib.ExitStack() as stack:
            self.press(gateway, pipeline, [stack.enter_context(socket.create_connection((host, int(port)), 5)) for _ in range(60)])

    def press(self, gateway, pipeline, slow):
        for s in slow:
            s.sendall(b'POST /webhook/bitrix HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\nContent-Type: ' + FORM.encode() +
                      b'\r\n\r\n')
        cut = 0
        for s in slow:
            try:
                for _ in range(30):
                    s.sendall(b'x' * 100000)
            except OSError:
                cut += 1
        self.assertGreater(cut, 0)
        self.assertLess(self.memory(pipeline), 120)
        self.assertEqual(200, gateway.send(event('ONCRMDEALUPDATE', 1))[0])

    def test_robots_need_no_form_of_an_event(self):
        sandbox, pipeline, gateway = self.start()
        record = sorted(sandbox.truth('deals'))[5]
        sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'robot'})
        body = 'document_id[0]=crm&document_id[1]=CCrmDocumentDeal&document_id[2]=DEAL_%d&auth[domain]=127.0.0.1' % record
        self.assertEqual(401, gateway.send(body)[0])
        self.assertEqual(200, gateway.send(body, '/webhook/bitrix?api_key=' + KEY)[0])
        wait_for(lambda: self.row(pipeline, record)['title'] == 'robot', 'the deal follows', 10)

    def test_without_a_token_only_this_machine_is_believed(self):
        sandbox = self.sandbox(deals=10, contacts=1, companies=1, leads=1)
        pipeline = self.pipeline(sandbox, GATEWAY_LISTEN='0.0.0.0:0')
        pipeline.expect('service.failed')
        answer = pipeline.potok('up')
        self.assertEqual(2, answer.returncode)
        self.assertIn('API_KEY', answer.stderr)

    def test_a_socket_that_was_handed_over_is_not_open_to_all_either(self):
        pipeline = self.pipeline(None, BITRIX_WEBHOOK_URL='http://127.0.0.1:1/rest/1/abcdefgh/')
        with socket.socket() as s:
            s.bind(('0.0.0.0', 0))
            s.listen()
            pid = os.fork()
            if pid == 0:
                os.dup2(s.fileno(), 3)
                os.set_inheritable(3, True)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                os.dup2(1, 2)
                os.execve(BIN + '/potok-gateway', ['potok-gateway'],
                          dict(pipeline.environment, LISTEN_FDS='1', LISTEN_PID=str(os.getpid())))
            ended = wait_for(lambda: os.waitpid(pid, os.WNOHANG)[1], 'the gateway refuses to start', 10)
        self.assertEqual(2, os.waitstatus_to_exitcode(ended))

    def handed_again(self, pipeline):
        services = json.loads(pipeline.potok('status', '--json').stdout)['services']
        return next((s['detail'].get('again', 0) for s in services if s['service'] == 'gateway'), 0)

    def test_an_event_that_waits_for_the_database_waits_once(self):
        sandbox, pipeline, gateway = self.start(LOG_LEVEL='debug')
        pipeline.expect('database.retry')
        lock = sqlite3.connect(pipeline.db_path, isolation_level=None)
        lock.execute('BEGIN IMMEDIATE')
        ids = sorted(sandbox.truth('deals'))
        sandbox.post('set?entity=deals&id=%d' % ids[0], {'TITLE': 'later'})
        self.assertEqual(200, gateway.send(event('ONCRMDEALUPDATE', ids[0]))[0])
        wait_for(lambda: self.handed_again(pipeline) >= 2, 'the gateway says it again, twice', 20)
        lock.execute('ROLLBACK')
        lock.close()
        wait_for(lambda: self.row(pipeline, ids[0])['title'] == 'later', 'the change is a row', 20)
        taken = [line for line in pipeline.log() if line.get('event') == 'event.taken']
        self.assertEqual(1, len(taken), taken)

    def flood(self, gateway, ids, stop, answered, refused):
        """One sender: every change is made before its event; what is answered 200 is written down."""
        while not stop.is_set():
            record = ids[self.random.randrange(len(ids))]
            try:
                status, _ = gateway.send(event('ONCRMDEALUPDATE', record))
                (answered if status == 200 else refused).append(record)
            except (OSError, http.client.HTTPException) as e:
                refused.append(e)

    def test_restarts_of_the_gateway_refuse_nothing_and_lose_nothing(self):
        sandbox, pipeline, gateway = self.start()
        pipeline.expect('service.died')
        ids, stop, answered, refused = sorted(sandbox.truth('deals')), threading.Event(), [], []
        threads = [threading.Thread(target=self.flood, args=(gateway, ids, stop, answered, refused)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for n in range(10):
            count = len(answered)
            pid = pipeline.pid('gateway')
            pipeline.kill('gateway', how=signal.SIGTERM)
            wait_for(lambda: pipeline.pid('gateway') not in (None, pid), 'a new gateway is there', 20)
            wait_for(lambda: len(answered) > count + 20, 'events are taken again', 20)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual([], refused[:5])
        for record in ids:      # nobody changed it since: what the marks fetch is what the table shows
            sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'last %d' % record})
            self.assertEqual(200, gateway.send(event('ONCRMDEALUPDATE', record))[0])
        wait_for(lambda: pipeline.status()['marks'] == 0 and not self.waiting(pipeline), 'everything is served', 60)
        truth.check(self, pipeline, sandbox, ['deals'])

    def waiting(self, pipeline):
        with sqlite3.connect('file:%s/spool/gateway.1.db?mode=ro' % pipeline.home, uri=True) as db:
            return db.execute('SELECT count(*) FROM event').fetchone()[0]

    def test_many_wrong_tokens_are_slowed_and_a_right_one_passes(self):
        sandbox, pipeline, gateway = self.start()
        answers = [gateway.send(event('ONCRMDEALUPDATE', 1, token='wrong'))[0] for _ in range(40)]
        self.assertEqual((401, 429), (answers[0], answers[-1]))
        wait_for(lambda: re.search(r'refused since the start 40: bad_token \d+, too_many_bad \d+\n', pipeline.potok('status').stdout),
                 'the status tells it', 10)
        self.assertIn('a token that is not ours, refused: 40', pipeline.potok('webhooks').stdout)
        self.assertIn('a token that is not ours, refused: 40', pipeline.potok('doctor').stdout)
        self.assertEqual(200, gateway.send(event('ONCRMDEALUPDATE', sorted(sandbox.truth('deals'))[0]))[0])
        wait_for(lambda: 'not ours' not in pipeline.potok('webhooks').stdout, 'one with our token came: nothing is wrong', 10)

    def kill_and_see(self, pipeline, service):
        """Kills it at once and lets it come up again: what never gets up is given up by `potok up`, rightly."""
        pid = pipeline.pid(service)
        pipeline.kill(service)
        wait_for(lambda: pipeline.pid(service) not in (None, pid) and any(
            s['service'] == service and s['state'] in ('ready', 'busy') for s in (pipeline.status() or {}).get('services', [])),
            '%s is back' % service, 30)

    def test_what_was_answered_survives_every_kill(self):
        sandbox, pipeline, gateway = self.start()
        pipeline.expect('service.died', 'job.given_up', 'job.retry', 'bus.peer_lost', 'fetcher.lost')
        ids = sorted(sandbox.truth('deals'))
        wanted = {}
        for n in range(15):
            record = ids[n]
            sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'kill %d' % n})
            answered = False
            while not answered:     # a portal would not repeat; what was not answered is not promised
                try:
                    answered = gateway.send(event('ONCRMDEALUPDATE', record))[0] == 200
                except (OSError, http.client.HTTPException):
                    pass
            wanted[record] = 'kill %d' % n
            self.kill_and_see(pipeline, ('gateway', 'scheduler', 'writer', 'fetcher', 'mapper')[n % 5])
        for record, title in wanted.items():
            wait_for(lambda: self.row(pipeline, record)['title'] == title, 'deal %d follows' % record, 60)

    def test_events_wait_for_a_scheduler(self):
        sandbox, pipeline, gateway = self.start()
        pipeline.expect('service.died', 'fetcher.lost', 'job.given_up', 'job.retry')
        record = sorted(sandbox.truth('deals'))[0]
        os.kill(pipeline.pid('scheduler'), signal.SIGSTOP)
        sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'later'})
        first = json.loads(gateway.send(event('ONCRMDEALUPDATE', record))[1])['status']
        more = [json.loads(gateway.send(event('ONCRMDEALUPDATE', record))[1])['status'] for _ in range(5)]
        self.assertEqual('success', first)
        self.assertEqual(1, more.count('success'), 'the first is on its way: one more is kept, the rest add nothing: %s' % more)
        os.kill(pipeline.pid('scheduler'), signal.SIGCONT)
        wait_for(lambda: self.row(pipeline, record)['title'] == 'later', 'the change follows', 20)
        wait_for(lambda: not self.waiting(pipeline), 'the spool is empty', 20)

    def test_the_spool_can_be_looked_at_and_a_damaged_row_is_named(self):
        sandbox, pipeline, gateway = self.start()
        pipeline.expect('service.died', 'fetcher.lost', 'job.given_up', 'job.retry', 'spool.row_damaged')
        ids = sorted(sandbox.truth('deals'))[:3]
        listed = pipeline.potok('spool', 'list')
        self.assertEqual((0, ''), (listed.returncode, listed.stdout))
        self.assertIn('nothing waits', listed.stderr)
        os.kill(pipeline.pid('scheduler'), signal.SIGSTOP)
        for record in ids:
            self.assertEqual(200, gateway.send(event('ONCRMDEALUPDATE', record))[0])
        gateway.send(event('ONTASKADD', 5))
        stats = json.loads(pipeline.potok('spool', 'stats', '--json').stdout)
        self.assertEqual((3, 1, 0), (stats[0]['waiting'], stats[0]['unknown'], stats[0]['damaged']))
        rows = [json.loads(line) for line in pipeline.potok('spool', 'export').stdout.splitlines()]
        self.assertEqual([('deals', record, 'ONCRMDEALUPDATE', True) for record in ids],
                         [(r['entity'], r['id'], r['event'], r['sound']) for r in rows])
        self.assertIn('deals %d' % ids[0], pipeline.potok('spool', 'list').stdout)
        self.assertEqual(0, pipeline.potok('spool', 'check').returncode)
        pipeline.kill('gateway')
        with sqlite3.connect(pipeline.home + '/spool/gateway.1.db') as db:
            db.execute('UPDATE event SET id = id + 1000000 WHERE seq = ?', (rows[1]['seq'],))
        answer = pipeline.potok('spool', 'check')
        self.assertEqual(1, answer.returncode)
        self.assertIn('gateway.1', answer.stdout)
        os.kill(pipeline.pid('scheduler'), signal.SIGCONT)
        wait_for(lambda: not self.waiting(pipeline), 'the sound ones are handed on', 30)
        self.assertEqual(1, json.loads(pipeline.potok('spool', '--json').stdout)[0]['damaged'])
        self.assertEqual(2, pipeline.potok('spool', 'frob').returncode)


if __name__ == '__main__':
    unittest.main()
