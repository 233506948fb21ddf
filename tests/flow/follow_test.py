"""What the scheduler learns of portals, gateways follow: an application's token that came with its installation, a new address."""
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import unittest
import urllib.parse

from support.harness import BIN, Scenario, free_port, wait_for

KEY = 'follow-test-key-of-forty-characters-01234567'
TOKEN = 'app-token-' + 'a' * 32
SIZES = dict(deals=12, contacts=2, companies=2, leads=2)
PUBLIC = '::ffff:127.0.0.1'      # this machine, and no loopback address by its name


def has_public():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            s.bind((PUBLIC, 0))
            return True
    except OSError:
        return False


class Follow(Scenario):
    def open(self, host, **environment):
        self.port = free_port()
        return dict(environment, GATEWAY_LISTEN='[%s]:%d' % (host, self.port) if ':' in host else '%s:%d' % (host, self.port))

    def send(self, pairs):
        """(status, reason or status of the answer)"""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=20)
        connection.request('POST', '/webhook/bitrix', urllib.parse.urlencode(pairs).encode(),
                           {'Content-Type': 'application/x-www-form-urlencoded'})
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        return answer.status, said.get('reason') or said['status']

    def event(self, record, domain, token, **auth):
        pairs = {'event': 'ONCRMDEALUPDATE', 'data[FIELDS][ID]': record, 'auth[domain]': domain, 'auth[application_token]': token}
        return self.send(dict(pairs, **{'auth[%s]' % name: value for name, value in auth.items()}))

    # ---- an application

    def application(self, host):
        self.portal = self.sandbox(**dict(SIZES, app=1))
        app = self.portal.application()
        config = os.path.join(self.folder, 'potok.yaml')
        with open(config, 'w') as f:
            f.write('portals:\n  main:\n    app:\n      oauth: http://%s\n' % app['oauth_address'])
        pipeline = self.pipeline(None, **self.open(
            host, BITRIX_DOMAIN='http://' + app['address'], BITRIX_CLIENT_ID=app['client_id'],
            BITRIX_CLIENT_SECRET=app['client_secret'], POTOK_SECRET_KEY=KEY, POTOK_CONFIG=config))
        pipeline.expect('portal.stopped', 'sync.failed', 'access.lost')
        return pipeline.start(), app

    @unittest.skipUnless(has_public(), 'no address that is none of the loopback ones')
    def test_an_installation_brings_the_token_of_all_that_follows(self):
        pipeline, app = self.application(PUBLIC)
        self.assertIn('by the token that the application\'s installation brings', pipeline.printed())
        token, member, record = self.portal.token, app['member_id'], sorted(self.portal.truth('deals'))[0]
        ours = app['address']
        self.assertEqual((403, 'not_installed'), self.event(record, ours, token))
        self.assertEqual((403, 'not_installed'), self.event(record, ours, ''))
        install = {'event': 'ONAPPINSTALL', 'auth[access_token]': 'a' * 32, 'auth[refresh_token]': 'b' * 32}
        self.assertEqual((403, 'not_installed'), self.send(dict(install, **{'auth[domain]': 'foreign.example'})))
        self.assertEqual((403, 'not_installed'), self.send({'event': 'ONAPPUNINSTALL', 'auth[domain]': ours, 'auth[application_token]': token}))

        self.portal.install('http://127.0.0.1:%d/webhook/bitrix' % self.port)
        wait_for(lambda: self.event(record, ours, token)[0] == 200, 'its token is known', 20)
        pipeline.sync('deals')
        self.portal.post('set?entity=deals&id=%d' % record, {'TITLE': 'followed'})
        self.assertEqual(200, self.event(record, ours, token)[0])
        wait_for(lambda: pipeline.query('SELECT title FROM crm_deals WHERE id = %d' % record)[0]['title'] == 'followed', 'the deal follows', 10)
        self.assertRegex(pipeline.potok('status').stdout, r'\n  events: .*the last \d:\d\d ago')
        strangers = [(record, ours, 'w' * 32), (record, ours, ''), (record, 'foreign.example', token)]

        def judged():
            self.assertEqual([401] * 3, [self.event(*one)[0] for one in strangers])
            self.assertEqual((401, 'bad_token'), self.event(record, 'foreign.example', token, member_id='f' * 32))
            self.assertEqual(200, self.event(record, 'renamed.example', token, member_id=member)[0])
            self.assertEqual(200, self.event(record, ours, token)[0])

        judged()
        self.assertEqual(0, pipeline.stop())
        spool = os.path.join(pipeline.home, 'spool', 'gateway.1.db')
        for name in [spool] + [spool + '-wal'] * os.path.exists(spool + '-wal'):
            with open(name, 'rb') as f:
                self.assertNotIn(token.encode(), f.read())
        self.alone(pipeline, judged)

        pipeline.start()
        self.assertEqual(200, self.event(record, ours, token)[0], 'known at once')
        self.assertEqual(200, self.send({'event': 'ONAPPUNINSTALL', 'auth[domain]': ours, 'auth[application_token]': token})[0])
        wait_for(lambda: self.event(record, ours, token) == (403, 'not_installed'), 'it is forgotten with the application', 10)

    def alone(self, pipeline, judged):
        """A gateway without a scheduler."""
        with open(os.path.join(self.folder, 'alone.out'), 'ab') as out:
            gateway = subprocess.Popen([BIN + '/potok-gateway'], env=pipeline.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

        def answers():
            try:
                return self.event(1, '', 'x' * 32)[0]
            except OSError:
                return None
        try:
            self.assertEqual(401, wait_for(answers, 'the gateway answers', 20, 0.01), 'its first answer knows already')
            judged()
        finally:
            gateway.terminate()
            gateway.wait(20)

    def test_on_loopback_nothing_is_asked_for_as_before(self):
        pipeline, app = self.application('127.0.0.1')
        self.assertEqual(200, self.event(1, app['address'], '')[0])

    # ---- a new address

    def lease_host(self, pipeline, host):
        connection = sqlite3.connect(pipeline.db_path)
        with connection:
            connection.execute('UPDATE potok_lease SET host = ?', (host,))
        connection.close()

    def test_a_renamed_portal_is_believed_and_no_longer_when_it_moved_back(self):
        sandbox = self.sandbox(**SIZES)
        pipeline = self.pipeline(sandbox, **self.open('127.0.0.1', BITRIX_APPLICATION_TOKEN=TOKEN, WEBHOOK_ALLOWED_DOMAINS='127.0.0.1'))
        pipeline.expect('portal.stopped', 'sync.failed', 'portal.unwell')
        pipeline.start()
        new = 'new.bitrix24.example'
        self.assertEqual((403, 'domain'), self.event(5, new, TOKEN))
        self.assertEqual(200, self.event(5, '127.0.0.1', TOKEN)[0])
        self.assertEqual(0, pipeline.stop())

        self.lease_host(pipeline, new)
        pipeline.start()
        wait_for(lambda: self.event(5, new, TOKEN)[0] == 200, 'the new address is known', 10)
        self.assertEqual(401, self.event(5, new, 'w' * 32)[0])
        self.assertEqual((403, 'domain'), self.event(5, 'x' + new, TOKEN))
        self.assertEqual(200, self.event(5, '127.0.0.1', TOKEN)[0], 'and the old one')
        self.assertEqual(0, pipeline.stop())
        self.alone(pipeline, lambda: self.assertEqual(200, self.event(5, new, TOKEN)[0]))

        self.lease_host(pipeline, None)
        pipeline.start()
        wait_for(lambda: self.event(5, new, TOKEN) == (403, 'domain'), 'it is no address of the portal any more', 10)


if __name__ == '__main__':
    unittest.main()
