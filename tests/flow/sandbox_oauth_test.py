"""The sandbox as an OAuth server and as a portal with an application: every way to come by tokens and to lose them."""
import time
import unittest
import urllib.parse
import urllib.request

from support.harness import Scenario, wait_for
from support.listener import Listener

CLIENT = 'local.app.1', 'very:secret'
CALLBACK = 'http://127.0.0.1:9/oauth/callback'


class OAuth(Scenario):
    def portal(self, *options, **more):
        return self.sandbox(*options, deals=60, contacts=20, companies=20, leads=20, app_client=':'.join(CLIENT),
                            app_redirect=CALLBACK, **more)

    def code(self, sandbox, state='x'):
        status, url = sandbox.authorize(state)
        self.assertEqual(302, status, url)
        self.assertEqual(CALLBACK, url.split('?')[0])
        return {k: v[0] for k, v in urllib.parse.parse_qs(url.split('?')[1], keep_blank_values=True).items()}

    def pair(self, sandbox):
        status, pair = sandbox.oauth_token(grant_type='authorization_code', code=self.code(sandbox)['code'])
        self.assertEqual(200, status, pair)
        return pair

    def refused(self, expected, answer):
        status, body = answer
        self.assertEqual(expected, (status, body.get('error') if isinstance(body, dict) else body))

    def profile(self, sandbox, token):
        status, answer = sandbox.ask('profile', {'auth': token})
        return (status, answer.get('error'))

    def test_a_browser_comes_back_with_a_code_that_buys_one_pair(self):
        sandbox = self.portal()
        app, back = sandbox.application(), self.code(sandbox, 'a b&c')
        self.assertEqual({'code', 'state', 'domain', 'member_id', 'scope', 'server_domain'}, set(back))
        self.assertEqual('a b&c', back['state'])
        self.assertEqual((app['address'], app['oauth_address']), (back['domain'], back['server_domain']))
        self.assertNotEqual(app['address'], app['oauth_address'])
        status, pair = sandbox.oauth_token(grant_type='authorization_code', code=back['code'])
        self.assertEqual(200, status)
        self.assertEqual({'access_token', 'refresh_token', 'expires_in', 'client_endpoint', 'server_endpoint', 'domain',
                          'member_id', 'scope', 'status'}, set(pair))
        self.assertEqual(('http://%s/rest/' % app['address'], 'http://%s/rest/' % app['oauth_address'], app['oauth_address'],
                          app['member_id'], 'L', 3600),
                         tuple(pair[k] for k in ('client_endpoint', 'server_endpoint', 'domain', 'member_id', 'status',
                                                 'expires_in')))
        self.assertIn('crm', pair['scope'].split(','))
        self.assertEqual((200, None), self.profile(sandbox, pair['access_token']))
        self.refused((400, 'invalid_grant'), sandbox.oauth_token(grant_type='authorization_code', code=back['code']))
        late = self.code(sandbox)['code']
        sandbox.expire_tokens('code')
        self.refused((400, 'invalid_grant'), sandbox.oauth_token(grant_type='authorization_code', code=late))
        status, page = sandbox.authorize(client_id='local.other')
        self.assertEqual(400, status)
        self.assertIn('<html>', page)

    def test_a_refresh_token_buys_one_pair_by_either_way(self):
        sandbox = self.portal()
        first = self.pair(sandbox)
        status, second = sandbox.oauth_token(grant_type='refresh_token', refresh_token=first['refresh_token'])
        self.assertEqual(200, status)
        self.assertEqual((1, True), (second['user_id'], abs(second['expires'] - time.time() - 3600) < 60))
        status, third = sandbox.oauth_token(form=True, grant_type='refresh_token', refresh_token=second['refresh_token'])
        self.assertEqual(200, status)
        self.assertEqual(3, len({p['access_token'] for p in (first, second, third)}))
        self.refused((400, 'invalid_grant'),
                     sandbox.oauth_token(grant_type='refresh_token', refresh_token=first['refresh_token']))
        self.assertEqual((200, None), self.profile(sandbox, third['access_token']))
        app = sandbox.application()
        self.assertEqual((1, 1, 2, 1), tuple(app[k] for k in ('authorized', 'exchanged', 'refreshed', 'refused')))
        sandbox.stop()
        sandbox.start()
        status, fourth = sandbox.oauth_token(grant_type='refresh_token', refresh_token=third['refresh_token'])
        self.assertEqual(200, status, 'pairs are kept: %r' % fourth)
        sandbox.expire_tokens('refresh')
        self.refused((400, 'invalid_grant'),
                     sandbox.oauth_token(grant_type='refresh_token', refresh_token=fourth['refresh_token']))

    def test_the_token_endpoint_refuses_as_the_documents_say(self):
        sandbox = self.portal()
        refresh = self.pair(sandbox)['refresh_token']
        cases = [((400, 'invalid_request'), {}),
                 ((400, 'invalid_request'), {'grant_type': 'password'}),
                 ((400, 'invalid_request'), {'grant_type': 'refresh_token'}),
                 ((400, 'invalid_request'), {'grant_type': 'authorization_code'}),
                 ((400, 'invalid_request'), {'grant_type': 'refresh_token', 'client_id': ''}),
                 ((400, 'invalid_request'), {'grant_type': 'refresh_token', 'client_secret': ''}),
                 ((200, 'wrong_client'), {'grant_type': 'refresh_token', 'client_id': 'x', 'refresh_token': refresh}),
                 ((400, 'invalid_client'), {'grant_type': 'refresh_token', 'client_secret': 'x', 'refresh_token': refresh}),
                 ((400, 'invalid_grant'), {'grant_type': 'refresh_token', 'refresh_token': 'x'}),
                 ((400, 'invalid_grant'), {'grant_type': 'authorization_code', 'code': 'x'}),
                 ((403, 'invalid_scope'), {'grant_type': 'refresh_token', 'refresh_token': refresh, 'scope': 'crm,im'})]
        for expected, parameters in cases:
            with self.subTest(parameters=parameters):
                self.refused(expected, sandbox.oauth_token(**parameters))
        self.assertEqual({'error': 'wrong_client'}, sandbox.oauth_token(grant_type='refresh_token', client_id='x')[1])
        for state, expected in (('unpaid', (401, 'PAYMENT_REQUIRED')), ('uninstalled', (400, 'invalid_client'))):
            sandbox.app_state(state)
            self.refused(expected, sandbox.oauth_token(grant_type='refresh_token', refresh_token=refresh))
        sandbox.app_state('portal-gone')
        self.assertEqual(404, sandbox.oauth_token(grant_type='refresh_token', refresh_token=refresh)[0])
        sandbox.app_state('installed')
        self.assertEqual(200, sandbox.oauth_token(grant_type='refresh_token', refresh_token=refresh)[0])

    def test_second_forms_of_the_refusals(self):
        sandbox = self.portal(quirk=['spent-refresh', 'client-401', 'not-installed', 'bad-code', 'token-bare'])
        first = self.pair(sandbox)
        for _ in range(2):
            status, pair = sandbox.oauth_token(grant_type='refresh_token', refresh_token=first['refresh_token'])
            self.assertEqual((200, False), (status, 'user_id' in pair))
        self.refused((401, 'invalid_client'), sandbox.oauth_token(grant_type='refresh_token', client_secret='x'))
        self.refused((400, 'bad_verification_code'), sandbox.oauth_token(grant_type='authorization_code', code='x'))
        sandbox.uninstall()
        self.refused((401, 'NOT_INSTALLED'), sandbox.oauth_token(grant_type='refresh_token', refresh_token='x'))

    def test_the_token_endpoint_may_be_unwell(self):
        sandbox = self.portal()
        refresh = self.pair(sandbox)['refresh_token']
        sandbox.fault('html500')
        sandbox.token_endpoint_fault('html502', 2)
        ask = dict(grant_type='refresh_token', refresh_token=refresh)
        self.assertEqual([502, 502, 200], [sandbox.oauth_token(**ask)[0] for _ in range(3)])
        self.assertEqual(1, sandbox.stats()['faults'], 'a fault of any method is not for the OAuth server')

    def test_methods_take_the_token_wherever_it_stands(self):
        sandbox = self.portal()
        token, address = self.pair(sandbox)['access_token'], sandbox.application()['address']
        url = 'http://%s/rest/profile' % address
        form = urllib.request.Request(url, urllib.parse.urlencode({'auth': token}).encode())
        for way in (sandbox.ask('profile', {'auth': token}), sandbox.answer_of(form), sandbox.answer_of('%s?auth=%s' % (url, token))):
            self.assertEqual((200, '1'), (way[0], way[1]['result']['ID']))
        self.refused((401, 'NO_AUTH_FOUND'), sandbox.ask('profile', {}))
        self.refused((401, 'NO_AUTH_FOUND'), sandbox.ask('profile', {'access_token': token}))
        self.refused((401, 'invalid_token'), sandbox.ask('profile', {'auth': 'x'}))
        sandbox.post('scope?allow=user')
        self.refused((401, 'insufficient_scope'), sandbox.ask('crm.deal.list', {'auth': token}))
        sandbox.post('scope?allow=crm,user')
        status, info = sandbox.ask('app.info', {'auth': token})
        self.assertEqual((CLIENT[0], True), (info['result']['CODE'], info['result']['INSTALLED']))
        self.refused((400, 'ACCESS_DENIED'), sandbox.answer_of(sandbox.url + 'app.info'))
        oauth = sandbox.application()['oauth_address']
        self.assertEqual(200, sandbox.ask('app.info', {'auth': token}, oauth)[0])
        self.refused((404, 'ERROR_METHOD_NOT_FOUND'), sandbox.ask('profile', {'auth': token}, oauth))
        sandbox.expire_tokens()
        self.refused((401, 'expired_token'), sandbox.ask('app.info', {'auth': token}, oauth))

    def test_a_token_ends_in_every_way(self):
        sandbox = self.portal(app_token_life=1)
        pair = self.pair(sandbox)
        token = pair['access_token']
        self.assertEqual(1, pair['expires_in'])
        wait_for(lambda: self.profile(sandbox, token) == (401, 'expired_token'), 'its second', 5)
        sandbox.stop()
        sandbox.options += ['--app-token-life', '3600']
        sandbox.start()
        pair = self.pair(sandbox)
        token = pair['access_token']
        for state, expected in (('uninstalled', (401, 'ERROR_OAUTH')), ('not-found', (401, 'APPLICATION_NOT_FOUND')),
                                ('unpaid', (401, 'PAYMENT_REQUIRED')), ('no-tariff', (403, 'ACCESS_DENIED')),
                                ('user-inactive', (401, 'authorization_error')), ('user-denied', (403, 'user_access_error')),
                                ('confirm-waiting', (401, 'METHOD_CONFIRM_WAITING')),
                                ('confirm-denied', (403, 'METHOD_CONFIRM_DENIED')), ('portal-gone', (500, 'PORTAL_DELETED')),
                                ('installed', (200, None))):
            sandbox.app_state(state)
            self.assertEqual(expected, self.profile(sandbox, token))
        sandbox.revoke_tokens()
        self.assertEqual((401, 'invalid_token'), self.profile(sandbox, token))
        self.refused((400, 'invalid_grant'),
                     sandbox.oauth_token(grant_type='refresh_token', refresh_token=pair['refresh_token']))

    def test_an_installation_brings_tokens_and_its_end_takes_them(self):
        with Listener() as listener:
            sandbox = self.portal(app_install=listener.url)
            wait_for(lambda: listener.calls, 'ONAPPINSTALL')
            app, event = sandbox.application(), listener.events()[0]
            self.assertEqual(
                ('ONAPPINSTALL', '1', 'Y', 'Y', 'ru', app['application_token'], app['member_id'], app['address'], 'L'),
                tuple(event[k] for k in ('event', 'data[VERSION]', 'data[ACTIVE]', 'data[INSTALLED]', 'data[LANGUAGE_ID]',
                                         'auth[application_token]', 'auth[member_id]', 'auth[domain]', 'auth[status]')))
            self.assertEqual(('http://%s/rest/' % app['address'], 'http://%s/rest/' % app['oauth_address']),
                             (event['auth[client_endpoint]'], event['auth[server_endpoint]']))
            self.assertNotIn('event_handler_id', event)
            self.assertEqual((200, None), self.profile(sandbox, event['auth[access_token]']))
            refresh = event['auth[refresh_token]']
            self.assertEqual(200, sandbox.oauth_token(grant_type='refresh_token', refresh_token=refresh)[0])
            for code in 'onAppUninstall', 'onCrmDealUpdate':
                self.assertEqual(True, sandbox.app('event.bind', event=code, handler=listener.url)['result'])
            sandbox.uninstall(clean=True)
            wait_for(lambda: len(listener.calls) == 2, 'ONAPPUNINSTALL')
            gone = listener.events()[1]
            self.assertEqual(('ONAPPUNINSTALL', '1', 'ru'), tuple(gone[k] for k in ('event', 'data[CLEAN]', 'data[LANGUAGE_ID]')))
            self.assertFalse({'auth[access_token]', 'auth[refresh_token]'} & set(gone))
            sandbox.post('change?entity=deals&count=3&kind=update')
            self.assertEqual(0, sandbox.stats()['events']['waiting'], 'nobody listens any more')
            sandbox.install()
            wait_for(lambda: len(listener.calls) == 3, 'the second installation')
            again = listener.events()[2]
            self.assertEqual('ONAPPINSTALL', again['event'])
            self.assertEqual((401, 'invalid_token'), self.profile(sandbox, event['auth[access_token]']))
            self.assertEqual((200, None), self.profile(sandbox, again['auth[access_token]']))

    def test_an_application_opened_in_a_frame_gets_a_pair_that_works(self):
        with Listener() as listener:
            sandbox = self.portal()
            quoted = urllib.parse.quote(listener.url + '?a=1', safe='')
            sandbox.post('app/open?url=%s&placement=CRM_DEAL_DETAIL_TAB&options=%s' % (quoted, urllib.parse.quote('{"ID":"7"}')))
            wait_for(lambda: listener.calls, 'the frame')
            body, app = listener.events()[0], sandbox.application()
            query = dict(urllib.parse.parse_qsl(listener.calls[0].path.split('?')[1]))
            self.assertEqual(({'a', 'DOMAIN', 'PROTOCOL', 'LANG', 'APP_SID'}, '1', app['address'], '0'),
                             (set(query), query['a'], query['DOMAIN'], query['PROTOCOL']))
            self.assertEqual(('http://%s/rest/' % app['oauth_address'], app['application_token'], app['member_id'], 'crm,user', 'L',
                              'CRM_DEAL_DETAIL_TAB', '{"ID":"7"}', '3600'),
                             tuple(body[k] for k in ('SERVER_ENDPOINT', 'APPLICATION_TOKEN', 'member_id', 'APPLICATION_SCOPE', 'status',
                                                     'PLACEMENT', 'PLACEMENT_OPTIONS', 'AUTH_EXPIRES')))
            self.assertEqual((200, None), self.profile(sandbox, body['AUTH_ID']))
            self.assertEqual(200, sandbox.oauth_token(grant_type='refresh_token', refresh_token=body['REFRESH_ID'])[0])

    def test_an_update_takes_the_handlers_and_an_unfinished_installation_hears_nothing(self):
        with Listener() as listener:
            sandbox = self.portal()
            for code in 'onAppUpdate', 'onCrmDealUpdate':
                self.assertEqual(True, sandbox.app('event.bind', event=code, handler=listener.url)['result'])
            sandbox.app_state('unfinished')
            self.assertIs(False, sandbox.app('app.info')['result']['INSTALLED'])
            sandbox.post('change?entity=deals&count=2&kind=update')
            sandbox.app_state('installed')
            self.assertEqual(0, sandbox.stats()['events']['made'])
            before = sandbox.application()['application_token']
            sandbox.post('app/update?token=1')
            wait_for(lambda: listener.calls, 'ONAPPUPDATE')
            event, after = listener.events()[0], sandbox.application()['application_token']
            self.assertEqual(('ONAPPUPDATE', '2', '1', after),
                             tuple(event[k] for k in ('event', 'data[VERSION]', 'data[PREVIOUS_VERSION]', 'auth[application_token]')))
            self.assertNotEqual(before, after)
            self.assertEqual(['ONAPPUPDATE'], [b['event'] for b in sandbox.app('event.get')['result']])

    def test_a_robot_names_its_document(self):
        with Listener() as listener:
            sandbox = self.portal()
            deal = min(sandbox.truth('deals'))
            for n, more in enumerate(('{{ID}}', 'x&code=my')):
                to, *code = more.split('&')
                url = urllib.parse.quote('%s?id=%s' % (listener.url, to), safe='')
                sandbox.post('robot?entity=deals&id=%d&url=%s&%s' % (deal, url, '&'.join(code)), {'NAME': 'ж'})
                wait_for(lambda: len(listener.calls) == n + 1, 'a robot')
            built_in, own = listener.events()
            self.assertEqual(['id=%d' % deal, 'id=x'], [c.path.split('?')[1] for c in listener.calls])
            for call in built_in, own:
                self.assertEqual(['crm', 'CCrmDocumentDeal', 'DEAL_%d' % deal], [call['document_id[%d]' % i] for i in range(3)])
            self.assertNotIn('auth[application_token]', built_in)
            self.assertEqual(('my', 'ж', 'DEAL'), (own['code'], own['properties[NAME]'], own['document_type[2]']))
            self.assertEqual((200, None), self.profile(sandbox, own['auth[access_token]']))

    def test_a_renamed_portal_leads_on_from_its_old_address(self):
        with Listener() as listener:
            sandbox = self.portal(app_events=listener.url)
            pair, old = self.pair(sandbox), sandbox.application()['address']
            new = sandbox.rename()
            self.assertNotEqual(old, new)
            status, place = sandbox.ask('batch.json?x=1', {'auth': pair['access_token'], 'cmd': []}, old)
            self.assertEqual((302, 'http://%s/rest/batch.json?x=1' % new), (status, place))
            status, place = sandbox.answer_of(sandbox.url + 'profile')
            self.assertEqual((302, sandbox.url.replace(old, new) + 'profile'), (status, place))
            self.assertEqual(200, sandbox.answer_of(place)[0])
            self.assertEqual((200, None), self.profile(sandbox, pair['access_token']))
            status, moved = sandbox.oauth_token(grant_type='refresh_token', refresh_token=pair['refresh_token'])
            self.assertEqual(('http://%s/rest/' % new, pair['member_id']), (moved['client_endpoint'], moved['member_id']))
            sandbox.post('change?entity=deals&count=1&kind=update')
            wait_for(lambda: listener.calls, 'an event')
            self.assertEqual(new, listener.events()[0]['auth[domain]'])
            self.assertEqual(old, sandbox.rename(back=True))
            self.assertEqual((200, None), self.profile(sandbox, pair['access_token']))
            self.assertEqual(404, sandbox.ask('profile', {}, new)[0])

    def test_a_block_for_overload_begins_and_ends_by_hand(self):
        sandbox = self.portal()
        token = self.pair(sandbox)['access_token']
        sandbox.overload()
        self.assertEqual((503, 'OVERLOAD_LIMIT'), self.profile(sandbox, token))
        self.refused((503, 'OVERLOAD_LIMIT'), sandbox.answer_of(sandbox.url + 'crm.deal.list'))
        sandbox.overload(False)
        self.assertEqual((200, None), self.profile(sandbox, token))


if __name__ == '__main__':
    unittest.main()
