"""The sandbox sends events as a portal does: their bytes, who gets them, and what goes wrong with them on the way."""
import json
import re
import socket
import time
import unittest
import urllib.request

from support.harness import Scenario, free_port, wait_for
from support.listener import Listener


class Events(Scenario):
    def setUp(self):
        super().setUp()
        self.listener = Listener()
        self.addCleanup(self.listener.close)

    def portal(self, *options, **more):
        return self.sandbox(*options, deals=100, contacts=20, companies=20, leads=20, **more)

    def settled(self, sandbox):
        """Its counters once nothing is under way or due."""
        def quiet():
            events = sandbox.stats()['events']
            return events if events['waiting'] + events['going'] == 0 else None
        return wait_for(quiet, 'all events sent')

    def change(self, sandbox, count, kind='update'):
        sandbox.post('change?entity=deals&count=%d&kind=%s' % (count, kind))

    def first(self, sandbox):
        return min(sandbox.truth('deals'))

    def title(self, sandbox, deal):
        with urllib.request.urlopen(sandbox.url + 'crm.deal.get?id=%d' % deal) as answer:
            return json.loads(answer.read())['result']['TITLE']

    def test_the_bytes_of_an_outgoing_webhook(self):
        sandbox = self.portal(events=self.listener.url)
        line = sandbox.process.stdout.readline()
        self.assertEqual('BITRIX_APPLICATION_TOKEN=%s\n' % sandbox.token, line)
        deal, before = self.first(sandbox), int(time.time())
        sandbox.post('set?entity=deals&id=%d' % deal, {'TITLE': 'новая', 'OPPORTUNITY': '1.00'})
        wait_for(lambda: self.listener.calls, 'the event')
        path, headers, body = self.listener.calls[0]
        self.assertEqual('/webhook/bitrix', path)
        self.assertEqual('application/x-www-form-urlencoded', headers['Content-Type'])
        address = '127.0.0.1%%3A%d' % sandbox.port
        found = re.fullmatch((
            r'event=ONCRMDEALUPDATE&event_handler_id=201&data%%5BFIELDS%%5D%%5BID%%5D=%d&ts=(\d+)'
            r'&auth%%5Bdomain%%5D=%s&auth%%5Bclient_endpoint%%5D=http%%3A%%2F%%2F%s%%2Frest%%2F'
            r'&auth%%5Bserver_endpoint%%5D=http%%3A%%2F%%2F%s%%2Frest%%2F'
            r'&auth%%5Bmember_id%%5D=[0-9a-f]{32}&auth%%5Bapplication_token%%5D=%s')
            % (deal, address, address, sandbox.application()['oauth_address'].replace(':', '%3A'), sandbox.token), body.decode())
        self.assertTrue(found, body)
        self.assertLessEqual(before, int(found.group(1)))
        self.assertLessEqual(int(found.group(1)), int(time.time()))
        self.assertEqual(1, self.settled(sandbox)['answered'])
        self.assertEqual(1, len(self.listener.calls), 'one edit, one event')

    def test_every_change_reaches_every_handler(self):
        with Listener() as other:
            sandbox = self.portal('--application-token', 'chosen', events=[self.listener.url, other.url])
            self.change(sandbox, 200)
            self.change(sandbox, 30, 'create')
            self.change(sandbox, 30, 'delete')
            sandbox.post('field?entity=contacts', {'name': 'UF_CRM_NEW', 'type': 'double'})
            stats = self.settled(sandbox)
            self.assertEqual(2 * 261, stats['answered'])
            for listener in self.listener, other:
                names = [e['event'] for e in listener.events()]
                self.assertEqual(200, names.count('ONCRMDEALUPDATE'))
                self.assertEqual(30, names.count('ONCRMDEALADD'))
                self.assertEqual(30, names.count('ONCRMDEALDELETE'))
                self.assertEqual(1, names.count('ONCRMCONTACTUSERFIELDADD'))
            self.assertEqual({'chosen'}, {e['auth[application_token]'] for e in other.events()})

    def test_an_application_binds_and_gets_tokens(self):
        sandbox = self.portal(app=1)
        self.assertTrue(sandbox.app('event.bind', event='onCrmDealUpdate', handler=self.listener.url)['result'])
        self.assertTrue(sandbox.app('event.bind', event='onCrmDealMoveToCategory', handler=self.listener.url)['result'])
        self.assertEqual('ERROR_CORE',
                         sandbox.app('event.bind', event='ONCRMDEALUPDATE', handler=self.listener.url)['error'])
        deal = self.first(sandbox)
        sandbox.post('set?entity=deals&id=%d' % deal, {'TITLE': 'x'})
        wait_for(lambda: self.listener.calls, 'the event')
        event = self.listener.events()[0]
        self.assertEqual(sandbox.get('events')['access_token'], event['auth[access_token]'])
        self.assertEqual(('L', 'crm,user'), (event['auth[status]'], event['auth[scope]']))
        self.assertTrue(3500 < int(event['auth[expires_in]']) <= 3600, 'what is left of an hour')
        sandbox.post('set?entity=deals&id=%d' % deal, {'CATEGORY_ID': '0'})
        self.settled(sandbox)
        before = len(self.listener.calls)
        sandbox.post('set?entity=deals&id=%d' % deal, {'CATEGORY_ID': '2', 'STAGE_ID': 'C2:NEW'})
        wait_for(lambda: len(self.listener.calls) > before, 'the move')
        move = self.listener.events()[-1]
        self.assertEqual(('ONCRMDEALMOVETOCATEGORY', str(deal), '2', 'C2:NEW'),
                         (move['event'], move['data[FIELDS][ID]'], move['data[FIELDS][CATEGORY_ID]'],
                          move['data[FIELDS][STAGE_ID]']))
        self.assertEqual({'count': 1},
                         sandbox.app('event.unbind', event='ONCRMDEALUPDATE', handler=self.listener.url)['result'])

    def test_offline_events_are_reserved_and_confirmed_over_a_restart(self):
        sandbox = self.portal(app=1)
        for name in 'onCrmDealUpdate', 'onCrmDealDelete':
            self.assertTrue(sandbox.app('event.bind', event=name, event_type='offline')['result'])
        deal = self.first(sandbox)
        for title in 'abc':
            sandbox.post('set?entity=deals&id=%d' % deal, {'TITLE': title})
        sandbox.stop()
        sandbox.start()
        got = sandbox.app('event.offline.get', clear=0)['result']
        self.assertEqual([('ONCRMDEALUPDATE', {'FIELDS': {'ID': deal}})],
                         [(e['EVENT_NAME'], e['EVENT_DATA']) for e in got['events']])
        self.assertEqual([], sandbox.app('event.offline.get', clear=0)['result']['events'])
        self.assertTrue(sandbox.app('event.offline.clear', process_id=got['process_id'])['result'])
        self.assertEqual(0, sandbox.app('event.offline.list')['total'])

    def test_what_fails_is_lost(self):
        sandbox = self.portal(events='http://127.0.0.1:%d/' % free_port())
        self.change(sandbox, 5)
        stats = self.settled(sandbox)
        self.assertEqual((5, 5, 0), (stats['sent'], stats['failed'], stats['answered']))
        sandbox.post('events/handlers/clear')
        self.listener.status = 503
        sandbox.send_events_to(self.listener.url)
        self.change(sandbox, 5)
        stats = self.settled(sandbox)
        self.assertEqual((10, 10, 0), (stats['sent'], stats['failed'], stats['answered']))
        self.assertEqual(5, len(self.listener.calls), 'nothing is tried again')

    def test_a_request_cut_short_is_not_sent_again(self):
        self.listener.cut.add(1)
        sandbox = self.portal('--events-parallel', '1', events=self.listener.url)
        for n in range(3):
            self.change(sandbox, 1)
            wait_for(lambda: len(self.listener.calls) == n + 1, 'event %d' % n)
        stats = self.settled(sandbox)
        self.assertEqual((3, 2, 1), (stats['sent'], stats['answered'], stats['failed']))
        self.assertEqual(3, len(self.listener.calls))

    def test_a_handler_that_does_not_answer_holds_up_nobody(self):
        with socket.socket() as deaf:
            deaf.bind(('127.0.0.1', 0))
            deaf.listen(64)
            sandbox = self.portal(events=['http://127.0.0.1:%d/' % deaf.getsockname()[1], self.listener.url])
            self.change(sandbox, 3)
            wait_for(lambda: len(self.listener.calls) == 3, 'the other handler')
            stats = self.settled(sandbox)
            self.assertEqual((3, 3), (stats['answered'], stats['failed']))

    def test_faults_strike_as_told_and_the_same_way_each_time(self):
        sandbox = self.portal('--events-parallel', '1', events=self.listener.url)
        rounds = []
        for _ in range(2):
            sandbox.post('events/faults?drop=20&double=20&shuffle_ms=100')
            sandbox.post('reset-stats')
            for deal in sorted(sandbox.truth('deals'))[:50]:
                sandbox.post('set?entity=deals&id=%d' % deal, {'TITLE': 'x'})
            before = self.settled(sandbox)
            rounds.append((before, sorted(self.listener.ids())))
            with self.listener.lock:
                self.listener.calls.clear()
        stats, ids = rounds[0]
        self.assertEqual(rounds[0], rounds[1])
        self.assertEqual(50, stats['made'])
        self.assertEqual(50 - stats['dropped'] + stats['doubled'], len(ids))
        self.assertTrue(stats['dropped'] > 0 and stats['doubled'] > 0)

    def test_events_overtake_each_other(self):
        sandbox = self.portal('--event-shuffle', '300', '--events-parallel', '1', events=self.listener.url)
        deals = sorted(sandbox.truth('deals'))[:30]
        for deal in deals:
            sandbox.post('set?entity=deals&id=%d' % deal, {'TITLE': 'x'})
        self.settled(sandbox)
        self.assertEqual(deals, sorted(self.listener.ids()))
        self.assertNotEqual(deals, self.listener.ids())

    def test_a_held_event_comes_after_the_next(self):
        sandbox = self.portal('--events-parallel', '1', events=self.listener.url)
        first, second = sorted(sandbox.truth('deals'))[:2]
        sandbox.post('events/faults?hold=100')
        sandbox.post('set?entity=deals&id=%d' % first, {'TITLE': 'x'})
        self.assertEqual((1, 0), (sandbox.stats()['events']['held'], len(self.listener.calls)))
        sandbox.post('events/faults')
        sandbox.post('set?entity=deals&id=%d' % second, {'TITLE': 'x'})
        wait_for(lambda: len(self.listener.calls) == 2, 'both')
        self.assertEqual([second, first], self.listener.ids())

    def test_a_late_event_is_late(self):
        sandbox = self.portal('--event-late', '100', '--event-late-ms', '400', events=self.listener.url)
        begin = time.monotonic()
        self.change(sandbox, 3)
        wait_for(lambda: len(self.listener.calls) == 3, 'the events')
        self.assertGreaterEqual(time.monotonic() - begin, 0.38)
        self.assertEqual(3, self.settled(sandbox)['delayed'])

    def test_a_reader_who_hurries_sees_the_state_before(self):
        sandbox = self.portal(events=self.listener.url)
        deal = self.first(sandbox)
        sandbox.post('set?entity=deals&id=%d' % deal, {'TITLE': 'old'})
        sandbox.post('lag?entity=deals&ms=1500')
        sandbox.post('set?entity=deals&id=%d' % deal, {'TITLE': 'new'})
        changed = time.monotonic()
        wait_for(lambda: len(self.listener.calls) == 2, 'the event')
        seen = self.title(sandbox, deal)
        if time.monotonic() - changed < 1.4:
            self.assertEqual('old', seen)
        self.assertEqual('new', sandbox.truth('deals')[deal]['title'])
        wait_for(lambda: self.title(sandbox, deal) == 'new', 'the commit to be seen')
        self.assertGreaterEqual(time.monotonic() - changed, 1.4)

    def test_a_mass_change_is_sent_to_the_end(self):
        sandbox = self.portal(events=self.listener.url)
        self.change(sandbox, 3000)
        self.assertEqual((3000, 0), (self.settled(sandbox)['answered'], sandbox.stats()['events']['lost']))
        self.assertEqual(3000, len(self.listener.calls))


if __name__ == '__main__':
    unittest.main()
