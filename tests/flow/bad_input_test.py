"""Whatever strangers send: every route's answer and its reason, each counted; nothing crashes, blocks or grows the gateway."""
import collections
import contextlib
import json
import re
import resource
import select
import socket
import sqlite3
import time
import unittest
import urllib.parse

from support.alone import FORM, TOKEN, AloneScenario, event
from support.harness import wait_for

KEY, OLD = 'api-key-' + 'k' * 32, 'app-token-' + 'o' * 32
JSON = 'application/json'
DEAL, BITRIX, ALIAS = '/webhook/deal', '/api/v1/webhooks/bitrix', '/webhook/bitrix'

# What stands where an id should, and what is not among whole numbers from 1 to 2^62-1.
NO_IDS = ('0', '-1', '-9223372036854775808', 'abc', '1.5', '1e3', '0x10', ' 7', '7 ', '', '+7', '4611686018427387904',
          '9223372036854775807', '9223372036854775808', '18446744073709551616', '9' * 1000, '１２', "1' OR '1'='1")
# The same as JSON writes it.
NO_JSON_IDS = ('0', '-1', '-9223372036854775808', '1.5', '1e3', 'true', 'null', '[7]', '{"ID":7}', '4611686018427387904',
               '9223372036854775807') + tuple(json.dumps(text) for text in NO_IDS)


def deal(number, name='ONCRMDEALUPDATE'):
    """number: as JSON writes it."""
    return '{"event":"%s","data":{"FIELDS":{"ID":%s}}}' % (name, number)


def form(**pairs):
    return urllib.parse.urlencode(pairs)


def ids():
    """(path, content type, body) with something that is no id on every route."""
    for text in NO_IDS:
        for path in BITRIX, ALIAS:
            yield path, FORM, event(text)
            yield path, FORM, event(text, 'ONCRMCONTACTDELETE')
    yield ALIAS, FORM, event('1\x00')
    for text in NO_JSON_IDS:
        yield DEAL, JSON, deal(text)


def documents():
    """Robots' documents without an id: a kind of record that nobody knows."""
    for text in NO_IDS:
        yield ALIAS, FORM, form(**{'document_id[0]': 'crm', 'document_id[1]': 'CCrmDocumentDeal', 'document_id[2]': 'DEAL_' + text})
    yield ALIAS, FORM, form(**{'document_id[2]': 'DEAL'})
    yield ALIAS, FORM, form(**{'document_id[2]': 'ФИРМА_7'})


def no_forms():
    yield b'\xff\xfe\x00'
    yield b'\xd0=\xd0&\xf0\x9f=1'
    yield 'a=1'
    yield '=&=&=ONCRMDEALUPDATE'
    yield '&' * 500
    yield '%' * 5000
    yield 'event[]=ONCRMDEALUPDATE&data[FIELDS][ID]=1'
    yield 'event[0]=ONCRMDEALUPDATE'
    yield 'event=&data[FIELDS][ID]=1'
    yield 'data' + '[x]' * 20000 + '=1'
    yield '{"event":"ONCRMDEALUPDATE"}'


def no_json():
    yield '{"event":'
    yield '"event"'
    yield '7'
    yield 'null'
    yield '[' * 100000
    yield '{"a":' * 5000 + '1' + '}' * 5000
    yield '{"event":"ONCRMDEALUPDATE","data":[]}'
    yield '{"event":"ONCRMDEALUPDATE","data":{"FIELDS":[{"ID":1}]}}'
    yield '{"event":"ONCRMDEALUPDATE","data":{"FIELDS":7}}'
    yield '{"event":{"name":"ONCRMDEALUPDATE"},"data":{"FIELDS":{"ID":1}}}'
    yield '{"event":["ONCRMDEALUPDATE"],"data":{"FIELDS":{"ID":1}}}'
    yield '{"data":{"event":"ONCRMDEALUPDATE","FIELDS":{"ID":1}}}'
    yield '[[%s]]' % deal(1)
    yield '[%s, 7]' % deal(1)
    yield '{"deals":[%s]}' % deal(1)
    yield deal('9223372036854775808')
    yield deal('9' * 1000)
    yield deal(1) + deal(2)
    yield deal(1)[:-1] + ',"event":"ONCRMDEALADD"}'
    yield deal(1).encode()[:-1] + b',"note":"\xff\xfe"}'
    yield deal(1).encode()[:-1] + b',"\xc0\xaf":1}'
    yield deal(1).encode('utf-16')
    yield deal(1)[:-1] + ',"note":"\\ud800"}'
    yield deal('"1\\u0000"')


class BadInput(AloneScenario):
    def begin(self, **environment):
        self.gateway = self.alone(**dict(dict(API_KEY=KEY), **environment)).wait()
        self.sent = collections.Counter()

    def is_answered(self, status, reason, body, path=ALIAS, kind=FORM, **how):
        got, answer, _ = self.gateway.send(body, path, kind, **dict({'X-API-Key': KEY}, **how))
        self.sent[reason] += 1
        self.assertEqual((status, reason), (got, json.loads(answer)['reason']), (path, body[:200], answer))

    def counted(self):
        text = self.gateway.send('', '/metrics')[1]
        found = re.findall(r'webhook_(?:errors|processed)_total\{\w+="(\w+)"\} (\d+)', text)
        return {reason: int(n) for reason, n in found if n != '0'}

    def memory(self):
        with open('/proc/%d/status' % self.gateway.process.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith('VmRSS:')) // 1024

    def goes_on(self, record=77):
        """At once, and in the process that was there before."""
        began = time.monotonic()
        self.is_answered(200, 'taken', event(record))
        self.assertLess(time.monotonic() - began, 2)
        self.assertIsNone(self.gateway.process.poll())
        self.assertEqual([], [line for line in self.gateway.log() if line['level'] in ('WARNING', 'ERROR')])

    def spooled(self):
        path = self.gateway.environment['POTOK_HOME'] + '/spool/gateway.1.db'
        with contextlib.closing(sqlite3.connect('file:%s?mode=ro' % path, uri=True, timeout=10)) as spool:
            return [row[0] for row in spool.execute('SELECT id FROM event ORDER BY seq')]

    def test_every_route_says_what_is_wrong_and_counts_it(self):
        self.begin()
        for path, kind, body in ids():
            self.is_answered(400, 'bad_id', body, path, kind)
        for path, kind, body in documents():
            self.is_answered(200, 'unknown', body, path, kind)
        for name in 'ONSOMETHINGNEW', 'ONCRM', 'ÿþ', 'x' * 100000, "'; DROP TABLE event; --", 'ONCRMDEALUPDATE ':
            self.is_answered(200, 'unknown', event(1, name))
            self.is_answered(200, 'unknown', deal(1, json.dumps(name)[1:-1]), DEAL, JSON)
        self.is_answered(200, 'unknown', b'event=%FF%FE&data[FIELDS][ID]=1')
        for body in no_forms():
            self.is_answered(400, 'no_form', body, BITRIX)
        for body in no_json():
            self.is_answered(400, 'no_json', body, DEAL, JSON)
        self.is_answered(400, 'no_json', '', DEAL, JSON, method='POST')
        self.is_answered(400, 'no_items', '[]', DEAL, JSON)
        for kind in 'multipart/form-data; boundary=x', 'text/plain', JSON, 'application/x-www-form-urlencodedx', '':
            self.is_answered(415, 'type', event(1), ALIAS, kind)
        for kind in FORM, 'application/jsonx', 'text/json':
            self.is_answered(415, 'type', deal(1), DEAL, kind)
        for path, methods in ((ALIAS, ('PUT', 'DELETE', 'PATCH', 'OPTIONS')), (DEAL, ('GET', 'PUT', 'DELETE'))):
            for method in methods:
                self.is_answered(405, 'method', event(1), path, method=method)
        for path in '/', '/webhook', '/webhook/deal/', '/webhook/deals', '/WEBHOOK/BITRIX', '/webhook/bitrix/../deal', '/webhook%2Fdeal':
            self.is_answered(404, 'no_path', event(1), path)
        self.goes_on()
        self.assertEqual(self.sent, self.counted())
        self.assertEqual([77], self.spooled(), 'nothing else is on its way to the database')

    def test_bodies_beyond_all_measure(self):
        self.begin()
        self.goes_on(76)
        keys = '&'.join('k%d=1' % i for i in range(10000))
        fifty = '[%s]' % ','.join(deal(i) for i in range(1, 51))
        before = self.memory()
        for _ in range(5):
            self.is_answered(400, 'many_pairs', keys + '&' + event(1))
            self.assertEqual(b'', self.answer_to(       # cut: the library has no room for so many
                b'POST /webhook/bitrix?' + keys[:8000].encode() + b' HTTP/1.1\r\nHost: x\r\n\r\n'))
            self.assertEqual(b'HTTP/1.1 414', self.answer_to(b'POST /webhook/bitrix?' + b'x' * 40000 + b' HTTP/1.1\r\n')[:12])
            self.is_answered(400, 'many_items', fifty[:-1] + ',' + deal(51) + ']', DEAL, JSON)
            self.is_answered(400, 'many_values', '[' + '{},' * 150000 + '{}]', DEAL, JSON)
            self.is_answered(400, 'no_json', '{%s}' % ','.join('"k%d":1' % i for i in range(10000)), DEAL, JSON)
            self.is_answered(400, 'no_json', '[' + '[' * 50000 + ']' * 50000 + ']', DEAL, JSON)
            self.assertEqual(413, self.gateway.send(b'x' * (11 << 20))[0])
            self.cut_short()
        self.assertLess(self.memory(), before + 40)
        self.goes_on()
        counted = self.counted()
        self.assertEqual(5, counted.pop('too_big'))
        self.assertEqual(self.sent, counted)
        self.assertEqual([76, 77], self.spooled())
        status, answer, _ = self.gateway.send(fifty, DEAL, JSON, **{'X-API-Key': KEY})
        answers = json.loads(answer)
        self.assertEqual((200, {'success'}, list(range(1, 51))), (status, {a['status'] for a in answers}, [a['source_deal_id'] for a in answers]))
        self.assertTrue(all(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', a['timestamp']) for a in answers), answer)

    def answer_to(self, head):
        with socket.create_connection(('127.0.0.1', self.gateway.port), 5) as s:
            s.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                s.sendall(head)
                return s.recv(1000)
        return b''

    def cut_short(self):
        for text in (b'POST /webhook/bitrix HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf', b'POST ', b'\x16\x03\x01\x02\x00',
                     b'POST /webhook/deal HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
                     b'POST /webhook/deal HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n',
                     b'POST /webhook/deal HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx'):
            with socket.create_connection(('127.0.0.1', self.gateway.port), 5) as s:
                s.sendall(text)

    def test_one_address_cannot_take_every_connection(self):
        """2,048 of one address; what goes beyond is closed, and others are served meanwhile."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.begin()
        with contextlib.ExitStack() as stack:
            many = [stack.enter_context(socket.create_connection(('127.0.0.1', self.gateway.port), 5)) for _ in range(2100)]
            with socket.create_connection(('127.0.0.1', self.gateway.port), 5, ('127.0.0.3', 0)) as other:
                other.sendall(b'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
                self.assertEqual(b'HTTP/1.1 200', other.recv(1000)[:12])
            poll = select.poll()
            for s in many:
                poll.register(s, select.POLLIN)
            wait_for(lambda: 2100 - 2048 <= len(poll.poll(100)) < 200, 'those beyond are closed', 10)
        self.goes_on()

    def test_a_token_that_was_replaced_is_good_until_it_is_taken_out(self):
        """As an operator does it: the new one beside the old one, then alone."""
        self.begin(BITRIX_APPLICATION_TOKEN=OLD + ',' + TOKEN)
        for n, token in enumerate((OLD, TOKEN)):
            self.assertEqual(200, self.gateway.send(event(n + 1, token=token))[0])
        for token, reason in (None, 'no_token'), ('', 'no_token'), (TOKEN[:-1], 'bad_token'), (TOKEN + 'a', 'bad_token'), (KEY, 'bad_token'):
            status, answer, _ = self.gateway.send(event(3, token=token))
            self.assertEqual((401, reason), (status, json.loads(answer)['reason']), token)
        self.gateway.close()
        self.begin()
        status, answer, _ = self.gateway.send(event(4, token=OLD))
        self.assertEqual((401, 'bad_token'), (status, json.loads(answer)['reason']))
        self.assertEqual(200, self.gateway.send(event(4))[0])
        with open(self.gateway.said.name) as said:
            text = said.read()
        for secret in OLD, TOKEN, KEY:
            self.assertNotIn(secret, text)


if __name__ == '__main__':
    unittest.main()
