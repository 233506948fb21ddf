"""A gateway by itself: TLS and its certificate's renewal, bearer tokens, a disk without room, a spool handed over before its gateway is removed."""
import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import ssl
import sqlite3
import subprocess
import time
import unittest

from support.alone import FORM, TOKEN, Alone, AloneScenario, event
from support.certificate import certificate
from support.harness import BIN, Scenario, wait_for

BEARER, OLDER = 'bearer-' + 'b' * 32, 'older-' + 'o' * 32


def believing(*certs, most=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for cert in certs:
        context.load_verify_locations(cert)
    if most:
        context.maximum_version = most
    return context


class Tls(AloneScenario):
    def shown(self, gateway, context):
        """The subject of the certificate that a new connection gets."""
        with contextlib.closing(gateway.connect(context)) as connection:
            connection.connect()
            return dict(pair[0] for pair in connection.sock.getpeercert()['subject'])['commonName'], connection.sock.version()

    def replace(self, old, new):
        for place, source in zip(old, new):     # as certbot does: a rename
            os.replace(source, place)

    def test_webhooks_come_over_tls_1_3_and_a_renewed_certificate_is_taken_up(self):
        first, second, third = (certificate(self.folder, name) for name in ('first', 'second', 'third'))
        both = believing(first[0], second[0], third[0])
        gateway = self.alone(GATEWAY_TLS_CERT=first[0], GATEWAY_TLS_KEY=first[1])
        gateway.tls = both
        gateway.wait()
        self.assertEqual(('first', 'TLSv1.3'), self.shown(gateway, both))
        status, answer, _ = gateway.send(event(1))
        self.assertEqual((200, 'success'), (status, json.loads(answer)['status']))
        with self.assertRaises(ssl.SSLError):
            self.shown(gateway, believing(first[0], most=ssl.TLSVersion.TLSv1_2))
        kept = gateway.connect(both)
        self.addCleanup(kept.close)
        kept.connect()

        os.replace(second[0], first[0])     # half done: a key that is not the certificate's
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: gateway.events('tls.unreadable'), 'what does not fit is told', 10)
        self.assertEqual('first', self.shown(gateway, both)[0], 'and not taken')
        os.replace(second[1], first[1])
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.shown(gateway, both)[0] == 'second', 'the next connection gets the new one', 10)
        slow = socket.create_connection(('127.0.0.1', gateway.port), 10)        # in mid-handshake all the while
        self.addCleanup(slow.close)
        slow.sendall(b'\x16\x03\x01\x02\x00\x01')
        self.replace(first, third)
        for _ in range(3):
            gateway.process.send_signal(signal.SIGHUP)
            wait_for(lambda: self.shown(gateway, both)[0] == 'third', 'and the one after it', 10)
        kept.request('POST', '/webhook/bitrix', event(2), {'Content-Type': FORM})
        self.assertEqual(200, kept.getresponse().status, 'a connection that was open goes on')
        self.assertGreaterEqual(len(gateway.events('tls.certificate')), 3)
        self.assertIn('potok_gateway_certificate_seconds', gateway.send('', '/metrics')[1])

    def test_a_handshake_that_stops_half_way_holds_up_nobody(self):
        cert, key = certificate(self.folder, 'one')
        gateway = self.alone(GATEWAY_TLS_CERT=cert, GATEWAY_TLS_KEY=key)
        gateway.tls = believing(cert)
        gateway.wait()
        with contextlib.ExitStack() as stack:
            for text in b'', b'\x16', b'\x16\x03\x01', b'\x16\x03\x01\x02\x00\x01', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03':
                stranger = stack.enter_context(socket.create_connection(('127.0.0.1', gateway.port), 10))
                stranger.sendall(text)
                began = time.monotonic()
                self.assertEqual(200, gateway.send(event(1))[0])
                self.assertLess(time.monotonic() - began, 3, text)
            spent = self.spent(gateway)
            began = time.monotonic()
            while time.monotonic() < began + 1:
                self.assertEqual(200, gateway.send(event(1))[0])
                time.sleep(0.2)
            self.assertLess(self.spent(gateway) - spent, 0.5, 'seconds of work for five requests')

    def spent(self, gateway):
        with open('/proc/%d/stat' % gateway.process.pid) as f:
            return sum(map(int, f.read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')

    def test_files_that_are_no_certificate_are_told_at_start(self):
        cert, key = certificate(self.folder, 'one')
        other = certificate(self.folder, 'other')[1]
        missing = os.path.join(self.folder, 'missing.pem')
        for files, words in (((cert, other), 'the key is not that of the certificate'), ((key, key), 'the certificate cannot be read'),
                             ((cert, cert), 'the key of the certificate cannot be read'), ((missing, key), 'missing.pem'),
                             ((cert, ''), 'both or none')):
            gateway = self.alone(GATEWAY_TLS_CERT=files[0], GATEWAY_TLS_KEY=files[1])
            self.pipelines[-1].expect('service.failed')
            self.assertEqual(2, gateway.process.wait(20), files)
            why = gateway.events('service.failed')[-1]
            self.assertIn('GATEWAY_TLS_CERT', str(why))
            self.assertIn(words, str(why))


class Bearer(AloneScenario):
    def test_a_bearer_token_is_right_wrong_missing_or_no_longer_one(self):
        gateway = self.alone(WEBHOOK_BEARER_TOKEN=OLDER + ' , ' + BEARER, API_KEY='key-' + 'k' * 32).wait()
        deal = json.dumps({'event': 'ONCRMDEALUPDATE', 'data': {'FIELDS': {'ID': 5}}})
        paths = (('/webhook/deal', deal, 'application/json'), ('/api/v1/webhooks/bitrix', event(6, token=None), FORM))
        for path, body, kind in paths:
            for header in 'Bearer ' + BEARER, 'bearer  ' + OLDER, 'Bearer key-' + 'k' * 32:
                self.assertEqual(200, gateway.send(body, path, kind, Authorization=header)[0], header)
            for header in ('Bearer ' + BEARER[:-1], 'Bearer x' + BEARER, 'Bearer', 'Bearer ', 'Basic ' + BEARER, BEARER,
                           'Bearer ' + BEARER + ',' + OLDER, 'Bearer ' + TOKEN):
                status, answer, headers = gateway.send(body, path, kind, Authorization=header)
                self.assertEqual((401, 'Bearer'), (status, headers['WWW-Authenticate'].split()[0]), header)
            status, answer, headers = gateway.send(body, path, kind)
            self.assertEqual((401, 'no_token', 'Bearer'), (status, json.loads(answer)['reason'], headers['WWW-Authenticate']))
            status, answer, headers = gateway.send(body, path, kind, Authorization='Bearer ' + 'w' * 40)
            self.assertEqual(('bad_token', 'Bearer error="invalid_token"'), (json.loads(answer)['reason'], headers['WWW-Authenticate']))
            self.assertEqual(401, gateway.send(body, path + '?api_key=' + BEARER, kind)[0], 'it is no key of an address')
        gateway.close()

        changed = self.alone(WEBHOOK_BEARER_TOKEN=BEARER).wait()
        self.assertEqual(401, changed.send(deal, *paths[0][::2], Authorization='Bearer ' + OLDER)[0], 'an old one is taken out')
        self.assertEqual(200, changed.send(deal, *paths[0][::2], Authorization='Bearer ' + BEARER)[0])
        self.assertNotIn(BEARER, open(changed.said.name).read())

    def test_a_short_one_is_refused_at_start(self):
        gateway = self.alone(WEBHOOK_BEARER_TOKEN='short')
        self.pipelines[-1].expect('service.failed')
        self.assertEqual(2, gateway.process.wait(20))
        self.assertIn('WEBHOOK_BEARER_TOKEN', str(gateway.events('service.failed')))


class NoRoom(AloneScenario):
    def limit(self, gateway, size):
        most = resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (size, most))

    def kept(self, gateway):
        path = gateway.environment['POTOK_HOME'] + '/spool/gateway.1.db'
        with contextlib.closing(sqlite3.connect('file:%s?mode=ro' % path, uri=True, timeout=10)) as spool:
            return {row[0] for row in spool.execute('SELECT id FROM event')}

    def test_a_disk_without_room_is_told_and_left_behind(self):
        """No file may grow from some moment on; the spool's log is what grows."""
        gateway = self.alone().wait()
        self.pipelines[-1].expect('spool.trouble')
        self.assertEqual(200, gateway.send(event(1))[0])
        answered, refused = {1}, 0
        self.limit(gateway, os.path.getsize(gateway.environment['POTOK_HOME'] + '/spool/gateway.1.db-wal'))
        for record in range(2, 12):
            status, answer, headers = gateway.send(event(record))
            if status == 200:
                answered.add(record)
            else:
                refused += 1
                self.assertEqual((503, 'spool', '5'), (status, json.loads(answer)['reason'], headers['Retry-After']))
        self.assertGreater(refused, 0)
        wait_for(lambda: gateway.send('', '/ready')[0] == 503, 'it is not ready', 10)
        self.assertEqual(200, gateway.send('', '/health')[0])
        self.limit(gateway, resource.RLIM_INFINITY)
        wait_for(lambda: gateway.send('', '/ready')[0] == 200, 'it recovers by itself', 10)
        self.assertEqual(200, gateway.send(event(100))[0])
        self.assertEqual(answered | {100}, self.kept(gateway) & (answered | {100}), 'what was answered is there')
        self.assertEqual(set(), self.kept(gateway) - answered - {100}, 'and nothing that was refused')
        self.assertTrue(gateway.events('spool.trouble') and gateway.events('spool.well'))


class Drained(Scenario):
    def start(self):
        sandbox = self.sandbox(deals=50, contacts=5, companies=5, leads=5)
        pipeline = self.pipeline(sandbox, BITRIX_APPLICATION_TOKEN=TOKEN).start()
        pipeline.sync()
        address = wait_for(lambda: next((line['details']['address'] for line in pipeline.log()
                                         if line.get('event') == 'gateway.listening'), None), 'the gateway listens')
        return sandbox, pipeline, address

    def send(self, address, record):
        with contextlib.closing(http.client.HTTPConnection(address, timeout=20)) as connection:
            connection.request('POST', '/webhook/bitrix', event(record), {'Content-Type': FORM})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())['reason']

    def waiting(self, pipeline):
        return json.loads(pipeline.potok('spool', 'stats', '--json').stdout)[0]['waiting']

    def test_what_a_gateway_keeps_is_handed_over_before_it_is_removed(self):
        sandbox, pipeline, address = self.start()
        pipeline.expect('service.died', 'fetcher.lost', 'job.given_up', 'job.retry')
        ids = sorted(sandbox.truth('deals'))
        os.kill(pipeline.pid('scheduler'), signal.SIGSTOP)
        for record in ids[:20]:
            sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'drained'})
            self.assertEqual((200, 'taken'), self.send(address, record))
        answer = pipeline.potok('spool', 'drain', '--timeout', '1')
        self.assertEqual(1, answer.returncode, 'nobody takes them')
        self.assertIn('20', answer.stdout)
        self.assertEqual((503, 'draining'), self.send(address, ids[30]), 'it takes nothing more')
        self.assertRegex(pipeline.potok('status').stdout, r'gateway\.1\s+draining')
        os.kill(pipeline.pid('scheduler'), signal.SIGCONT)
        for once_more in 'no', 'yes':       # as preStop does of what an operator has drained
            answer = pipeline.potok('spool', 'drain', 'gateway.1', '--timeout', '20', timeout=15)
            self.assertEqual(0, answer.returncode, once_more + answer.stdout + answer.stderr)
        self.assertEqual(0, self.waiting(pipeline))
        wait_for(lambda: len(pipeline.query("SELECT id FROM crm_deals WHERE title = 'drained'")) == 20, 'the changes are rows', 30)

    def test_a_spool_whose_gateway_is_gone_is_drained_by_one_that_takes_nothing(self):
        sandbox, pipeline, address = self.start()
        pipeline.expect('service.died', 'fetcher.lost', 'job.given_up', 'job.retry')
        record = sorted(sandbox.truth('deals'))[0]
        pipeline.stop()
        alone = Alone(pipeline)
        self.addCleanup(alone.close)
        alone.wait()
        self.assertEqual(200, alone.send(event(record))[0])
        alone.close()
        sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': 'drained'})
        scheduler = subprocess.Popen([BIN + '/potok-scheduler'], env=pipeline.environment, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            answer = pipeline.potok('spool', 'drain')
        finally:
            scheduler.terminate()
            scheduler.wait(30)
        self.assertEqual(0, answer.returncode, answer.stdout + answer.stderr)
        self.assertIn('spool.drained', answer.stderr)
        self.assertEqual(0, self.waiting(pipeline))
        self.assertEqual(1, pipeline.potok('spool', 'drain', 'gateway.7').returncode)
        pipeline.start()
        wait_for(lambda: pipeline.query('SELECT title FROM crm_deals WHERE id = ?', record)[0]['title'] == 'drained', 'the change is a row', 30)


if __name__ == '__main__':
    unittest.main()
