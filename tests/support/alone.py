"""A gateway started by hand, without a portal or a scheduler."""
import contextlib
import http.client
import json
import os
import subprocess
import urllib.parse

from support.harness import BIN, Scenario, free_port, wait_for

TOKEN = 'app-token-' + 'a' * 32
FORM = 'application/x-www-form-urlencoded'


def event(record, name='ONCRMDEALUPDATE', token=TOKEN):
    pairs = {'event': name, 'data[FIELDS][ID]': record, 'auth[domain]': '127.0.0.1'}
    return urllib.parse.urlencode(dict(pairs, **({'auth[application_token]': token} if token else {})))


class Alone:
    def __init__(self, pipeline, **environment):
        self.port = free_port()
        self.environment = dict(pipeline.environment, GATEWAY_LISTEN='127.0.0.1:%d' % self.port, **environment)
        self.said = open(os.path.join(pipeline.home, 'gateway.out'), 'ab+')
        self.tls = None
        self.process = subprocess.Popen([BIN + '/potok-gateway'], env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=self.said, stderr=self.said)

    def log(self):
        with open(self.said.name, errors='replace') as f:
            for line in f:
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    def events(self, name):
        return [line['details'] for line in self.log() if line.get('event') == name]

    def connect(self, tls=None):
        tls = tls or self.tls
        return (http.client.HTTPSConnection('127.0.0.1', self.port, timeout=20, context=tls) if tls
                else http.client.HTTPConnection('127.0.0.1', self.port, timeout=20))

    def send(self, body, path='/webhook/bitrix', kind=FORM, method=None, **headers):
        """(status, answer, headers)"""
        with contextlib.closing(self.connect()) as connection:
            connection.request(method or ('POST' if body else 'GET'), path, body if isinstance(body, bytes) else body.encode(),
                               dict({'Content-Type': kind}, **headers))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError('the gateway ended with %d: %s' % (self.process.returncode, list(self.log())[-1:]))
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.send('', '/ready')[0] == 200

    def wait(self):
        wait_for(self.ready, 'the gateway is ready', 20, 0.02)
        return self

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(30)
        self.said.close()
        return code


class AloneScenario(Scenario):
    def alone(self, **environment):
        pipeline = self.pipeline(None, BITRIX_WEBHOOK_URL='http://127.0.0.1:1/rest/1/abcdefgh/')
        gateway = Alone(pipeline, **dict(dict(BITRIX_APPLICATION_TOKEN=TOKEN), **environment))
        self.addCleanup(gateway.close)
        return gateway
