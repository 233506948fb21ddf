"""Our client in every position of the sandbox's switches, as an application: access, events, a queue, and then the mirror is the
portal's truth. As quirks_test.py, which is a webhook."""
import subprocess
import unittest
import urllib.request

from support import truth
from support.application import Application
from support.harness import ALL, BIN, Scenario, free_port, wait_for
from support.listener import Listener
from support.quirks import GUEST, KEYLESS, ONLINE, POOR, QUEUE, REFUSALS, Walk
from support.witness import Witness

MIRRORED = 'deals', 'contacts'


class Quirks(Walk, Application, Scenario):
    # ---- positions

    def open(self, quirks, events='online', **environment):
        """A portal with the quirks and an application, a witness before its OAuth server, and a pipeline without access."""
        self.listener = Listener()
        self.addCleanup(self.listener.close)
        self.portal = self.app_sandbox(*self.options(quirks), deals=200, contacts=60, application_token='t' * 32,
                                       app_install=self.listener.url)
        oauth = self.portal.application()['oauth_address']
        self.witness = Witness('http://%s/' % oauth)
        self.addCleanup(self.witness.close)
        self.gateway = '127.0.0.1:%d' % free_port()
        settings = dict(GATEWAY_LISTEN=self.gateway, PUBLIC_URL='http://' + self.gateway, OFFLINE_SECONDS=1,
                        BITRIX_APPLICATION_TOKEN=self.portal.token)
        self.potok = self.app_pipeline(self.portal, events, **dict(settings, **environment))
        self.rewrite(oauth, self.witness.host)
        self.potok.expect('sync.failed')
        self.potok.start()

    def rewrite(self, was, now):
        path = self.potok.environment['POTOK_CONFIG']
        with open(path) as f:
            text = f.read()
        self.assertIn(was, text)
        with open(path, 'w') as f:
            f.write(text.replace(was, now))

    def bind(self, **more):
        self.assertIn('result', self.portal.app('event.bind', event='ONCRMDEALUPDATE', **more))

    def events(self):
        return self.potok.status()['portals'][0]['events']

    def same(self):
        return not any(truth.differences(self.potok, self.portal, e) for e in MIRRORED)

    def exact(self):
        self.potok.sync()
        truth.check(self, self.potok, self.portal, MIRRORED)

    def change(self):
        for entity in MIRRORED:
            for kind in 'update', 'create', 'delete':
                self.portal.post('change?entity=%s&count=5&kind=%s' % (entity, kind))

    def renewed(self):
        """Access ends in mid-life, as it does every hour."""
        self.portal.expire_tokens('access')
        self.change()
        self.exact()

    def refused(self, *words):
        """A sync says what is wrong."""
        done = self.potok.potok('sync', '--full', '--wait', timeout=60)
        self.assertEqual(1, done.returncode, done.stdout)
        for word in words:
            self.assertIn(word, done.stdout + done.stderr)

    def online(self, quirks):
        self.open(quirks)
        self.portal.install('http://%s/webhook/bitrix' % self.gateway)
        self.exact()
        self.followed()
        self.spent = self.portal.application()['refresh_token']
        self.renewed()
        self.met(quirks)
        self.exact()

    def followed(self):
        wait_for(lambda: self.events()['state'] == 'well', 'its events are bound', 15)
        self.bind(handler=self.listener.url)
        self.change()
        wait_for(self.same, 'the rows follow their events', 20)

    def refusals(self, quirks):
        """Where refusals of methods come with status 200 as well."""
        self.open(quirks + ['errors-200'])
        self.potok.expect('access.refused')
        self.code_refused = self.login_with('0' * 32)
        self.login(self.potok, self.portal)
        self.exact()
        self.followed()
        old = self.portal.application()['access_token']
        self.renewed()
        self.assertEqual((200, 'expired_token'), self.answer(self.portal.ask('profile', {'auth': old})))
        self.met(quirks)
        self.exact()

    def queue(self, quirks):
        self.open(quirks, 'offline', PUBLIC_URL='')
        self.login(self.potok, self.portal)
        self.exact()
        wait_for(lambda: len(self.bound(self.portal, offline=True)) == 15, 'the queue is bound', 15)
        self.bind(event_type='offline', auth_connector='test')
        self.portal.app('event.bind', event='ONCRMDEALADD', event_type='offline', auth_connector='test')
        self.change()
        wait_for(self.same, 'the rows follow the queue', 20)
        self.met(quirks)

    def guest(self, quirks):
        self.open(quirks, 'offline', PUBLIC_URL='')
        self.potok.expect('guardian.unbound', 'offline.failed')
        self.login(self.potok, self.portal)
        self.exact()
        self.change()
        self.renewed()
        self.met(quirks)

    def poor(self, quirks):
        """Asked for a queue that the portal's plan does not have."""
        self.open(quirks, 'offline')
        self.potok.expect('offline.unavailable')
        self.login(self.potok, self.portal)
        self.exact()
        wait_for(lambda: self.events()['state'] == 'well', 'its events are bound all the same', 15)
        self.change()
        wait_for(self.same, 'the rows follow their events', 20)
        self.met(quirks)

    def keyless(self, quirks):
        """The plan has queues, but none with a key of their own."""
        self.open(quirks, 'offline', PUBLIC_URL='')
        self.login(self.potok, self.portal)
        self.exact()
        wait_for(lambda: self.events()['state'] == 'well', 'the queue is bound', 15)
        self.change()
        wait_for(self.same, 'the rows follow the queue', 20)
        wait_for(lambda: not self.portal.app('event.offline.list')['result'], 'what was read is confirmed', 20)
        self.met(quirks)

    POSITIONS = ONLINE, REFUSALS, QUEUE, GUEST, POOR, KEYLESS

    def test_the_table_is_whole(self):
        self.complete(*self.POSITIONS)

    def test_online(self):
        self.online(self.every(ONLINE))

    def test_refusals(self):
        self.refusals(self.every(REFUSALS))

    def test_queue(self):
        self.queue(self.every(QUEUE))

    def test_guest(self):
        self.guest(self.every(GUEST))

    def test_poor(self):
        self.poor(self.every(POOR))

    def test_keyless(self):
        self.keyless(self.every(KEYLESS))

    @unittest.skipUnless(ALL, 'the long form')
    def test_each_alone(self):
        self.alone()

    # ---- what was met: events

    def app_events(self):
        return [e for e in self.listener.events() if e['event'] == 'ONCRMDEALUPDATE']

    def met_no_tokens(self):
        self.assertTrue(self.app_events())
        self.assertEqual([], [e for e in self.app_events() if 'auth[access_token]' in e])

    def met_scope_spaces(self):
        self.assertEqual({'crm user'}, {e['auth[scope]'] for e in self.listener.events() if e['event'] == 'ONAPPINSTALL'})

    def met_offline_false(self):
        told = self.portal.app('event.offline.list', auth_connector='test')['result']
        self.assertEqual({False}, {e['EVENT_DATA'] for e in told})

    def met_offline_merged(self):
        before = set(self.portal.truth('deals'))
        self.portal.post('change?entity=deals&count=1&kind=create')
        new = (set(self.portal.truth('deals')) - before).pop()
        count = self.portal.app('event.offline.list', auth_connector='test')['total']
        self.portal.post('set?entity=deals&id=%d' % new, {'TITLE': 'merged'})
        told = self.portal.app('event.offline.list', auth_connector='test', order={'ID': 'DESC'})
        self.assertEqual(count, told['total'], 'ADD and UPDATE are one line')
        self.assertEqual('ONCRMDEALUPDATE', told['result'][0]['EVENT_NAME'])
        wait_for(self.same, 'the row follows', 20)

    def met_event_refresh(self):
        self.assertTrue(self.app_events())
        self.assertEqual([], [e for e in self.app_events() if 'auth[refresh_token]' not in e])

    def met_event_expires(self):
        self.assertTrue(self.app_events())
        self.assertEqual([], [e for e in self.app_events() if not {'auth[expires]', 'auth[user_id]'} <= set(e)])

    def met_no_connector(self):
        self.assertEqual({'value': 'N'}, self.portal.app('feature.get', CODE='rest_auth_connector')['result'])
        self.assertEqual('ACCESS_DENIED', self.portal.app('event.offline.get', auth_connector='potok')['error'])
        bound = self.bound(self.portal, offline=True)
        self.assertEqual((15, {''}), (len(bound), {key for _, key in bound}))

    def met_unbind_any(self):
        for event in 'ONCRMLEADADD', 'ONCRMLEADDELETE':
            self.portal.app('event.bind', event=event, handler=self.listener.url)
        before = self.bound(self.portal, offline=True)
        self.assertEqual({'count': 1}, self.portal.app('event.unbind', event='ONCRMLEADADD')['result'])
        online = self.bound(self.portal, offline=False)
        self.assertIn(('ONCRMLEADDELETE', self.listener.url), online)
        self.assertEqual({'count': len(online)}, self.portal.app('event.unbind')['result'])
        self.assertEqual(before, self.bound(self.portal), 'those of queues stay')

    def met_no_queue(self):
        self.assertEqual({'value': 'N'}, self.portal.app('feature.get', CODE='rest_offline_extended')['result'])
        self.assertEqual(set(), self.bound(self.portal, offline=True))
        self.assertEqual(['online events'], [e['details']['instead'] for e in self.potok.log() if e['event'] == 'offline.unavailable'])

    def met_no_admin(self):
        self.assertEqual('ACCESS_DENIED', self.portal.app('event.bind', event='ONCRMDEALADD', event_type='offline')['error'])
        self.assertEqual('ACCESS_DENIED', self.portal.app('crm.type.list')['error'])
        told = [self.portal.app('crm.%s.userfield.list' % entity).get('error_description') for entity in ('contact', 'deal')]
        self.assertEqual(['Access denied.', None], told)
        self.assertEqual('Access denied.', self.portal.app('crm.deal.userfield.delete', id=1)['error_description'])
        self.bind(handler=self.listener.url)
        self.assertEqual({('1', 0)}, {(b['auth_type'], b['offline']) for b in self.portal.app('event.get')['result']})
        wait_for(lambda: self.events()['state'] == 'refused', 'the refusal is seen', 15)
        self.assertEqual(1, len([e for e in self.potok.log() if e['event'] == 'guardian.unbound']))

    # ---- the OAuth server

    def answer(self, pair):
        """(status, error) of a direct answer."""
        return pair[0], pair[1].get('error')

    def told(self):
        """(status, error) of everything that the OAuth server told the client."""
        return [(a.status, a.document.get('error')) for a in self.witness.answers]

    def pairs(self, grant):
        found = [a.document for a in self.witness.answers if grant.encode() in a.request and 'access_token' in a.document]
        self.assertTrue(found)
        return found

    def lost(self):
        self.login(self.potok, self.portal)
        self.exact()

    def met_token_full(self):
        self.login(self.potok, self.portal)
        self.exact()
        self.assertEqual([], [p for p in self.pairs('authorization_code') if not {'expires', 'user_id'} <= set(p)])

    def met_token_bare(self):
        self.assertEqual([], [p for p in self.pairs('refresh_token') if {'expires', 'user_id'} & set(p)])

    def met_spent_refresh(self):
        self.assertEqual(200, self.portal.oauth_token(grant_type='refresh_token', refresh_token=self.spent)[0])

    def met_grant_401(self):
        self.portal.expire_tokens('all')
        self.refused('potok portal login')
        self.assertIn((401, 'NO_AUTH_FOUND'), self.told())
        self.lost()

    def met_deleted_410(self):
        self.portal.app_state('portal-gone')
        token = self.portal.application()['access_token']
        self.assertEqual((410, 'PORTAL_DELETED'), self.answer(self.portal.ask('profile', {'auth': token})))
        self.refused('the portal was deleted or closed')
        self.portal.app_state('installed')

    def met_bearer(self):
        app = self.portal.application()
        request = urllib.request.Request('http://%s/rest/profile' % app['address'],
                                         headers={'Authorization': 'Bearer ' + app['access_token']})
        self.assertEqual(200, self.portal.answer_of(request)[0])

    def met_license_previous(self):
        self.assertIn('LICENSE_PREVIOUS', self.portal.app('app.info')['result'])

    def met_handler_bare(self):
        handler = 'http://127.0.0.1:9/elsewhere'
        self.bind(handler=handler + '?key=1')
        self.assertIn(handler, {b['handler'] for b in self.portal.app('event.get')['result']})
        self.assertEqual('well', self.events()['state'])

    def met_access_token(self):
        token = self.portal.application()['access_token']
        self.assertEqual(200, self.portal.ask('profile', {'access_token': token})[0])

    def login_with(self, code):
        """What `potok portal login` prints when the browser brings another code than it was given."""
        potok = subprocess.Popen([BIN + '/potok', 'portal', 'login'], env=self.potok.environment, text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        line = next(line.strip() for line in potok.stdout if '/oauth/authorize/' in line)
        _, back = self.portal.answer_of(urllib.request.Request(line))
        given = back.split('code=')[1].split('&')[0]
        out, _ = potok.communicate(back.replace(given, code) + '\n', timeout=30)
        self.assertNotEqual(0, potok.returncode, out)
        return out

    def met_bad_code(self):
        self.assertIn((400, 'bad_verification_code'), self.told())
        self.assertIn('spent, expired', self.code_refused)

    def met_client_401(self):
        self.assertEqual(0, self.potok.stop())
        self.rewrite('very:secret', 'not:secret')
        self.portal.expire_tokens('access')
        self.potok.start()
        self.refused('client_secret')
        self.assertIn((401, 'invalid_client'), self.told())
        self.assertEqual(0, self.potok.stop())
        self.rewrite('not:secret', 'very:secret')
        self.potok.start()
        self.exact()        # the tokens were good all the time

    def met_not_installed(self):
        self.portal.app_state('uninstalled')
        self.portal.fault('expired401', 1, method='batch')
        self.refused('install')
        self.assertIn((401, 'NOT_INSTALLED'), self.told())
        self.portal.app_state('installed')
        self.lost()


if __name__ == '__main__':
    unittest.main()
