"""Our client in every position of the sandbox's switches, as a webhook: a full load, events, a deletion, and then the mirror is the
portal's truth. Quirks that do not exclude each other share a portal; with POTOK_TESTS=all each has one of its own as well."""
import re
import time
import unittest
import urllib.request

from support import truth
from support.harness import ALL, ENTITIES, Scenario, wait_for
from support.listener import Listener
from support.quirks import BILLING, BUCKET, FIGURES, FORMS, LOCAL, PLAIN, Walk
from support.witness import Witness

DEAL = 'crm.deal.list'


class Quirks(Walk, Scenario):
    # ---- positions

    def open(self, quirks, environment=None, **options):
        """A portal with the quirks, a witness before it, and a pipeline that is told of its changes, as is a listener."""
        self.portal = self.sandbox(*self.options(quirks), **dict(
            dict(deals=400, contacts=120, companies=60, leads=60, application_token='t' * 32), **options))
        self.witness, self.listener = Witness(self.portal.url), Listener()
        self.addCleanup(self.witness.close)
        self.addCleanup(self.listener.close)
        self.potok = self.pipeline(None, **dict(dict(BITRIX_WEBHOOK_URL=self.witness.url, BITRIX_APPLICATION_TOKEN=self.portal.token,
                                                     WEBHOOK_ALLOWED_DOMAINS='127.0.0.1', DONE_DEADLINE='2s'), **(environment or {})))
        self.potok.start()

    def listen(self):
        address = wait_for(lambda: next((e['details']['address'] for e in self.potok.log()
                                         if e.get('event') == 'gateway.listening'), None), 'the gateway listens')
        self.portal.send_events_to('http://%s/webhook/bitrix' % address)
        self.portal.send_events_to(self.listener.url)

    def differences(self, entities=ENTITIES):
        """A number inside JSON is as it came; in truth it is a text."""
        def texts(value):
            return [dict(row, ID=str(row['ID'])) if isinstance(row, dict) and 'ID' in row else row for row in value]
        return [d for e in entities for d in truth.differences(self.potok, self.portal, e, 10 ** 6)
                if not (isinstance(d[3], list) and isinstance(d[4], list) and texts(d[3]) == texts(d[4]))][:20]

    def same(self):
        return not self.differences()

    def exact(self):
        self.assertEqual([], self.differences())

    def follows(self):
        """What people change, make and delete is in the mirror by its events alone."""
        runs = len(self.potok.query('SELECT id FROM potok_run'))
        for kind in 'update', 'create', 'delete':
            self.portal.post('change?count=12&kind=' + kind)
        wait_for(self.same, 'the rows follow their events', 20)
        self.assertEqual(runs, len(self.potok.query('SELECT id FROM potok_run')), 'no full sync')

    def forms(self, quirks):
        self.open(quirks)
        self.potok.sync()
        self.exact()
        self.listen()
        self.follows()
        self.tried(quirks)

    def tried(self, quirks):
        """One of the records may not be read any more; everything is shown; then the mirror follows that, too."""
        self.hidden = min(self.portal.truth('deals'))
        self.portal.post('hide?entity=deals&id=%d' % self.hidden)
        self.assertEqual(0, self.potok.potok('sync', 'deals', '--id', str(self.hidden), '--wait').returncode)
        rejected = self.potok.query("SELECT id, reason FROM potok_reject WHERE entity = 'deals'")
        self.assertEqual([(self.hidden, 'access denied')], [tuple(r) for r in rejected], 'neither there nor gone: the row stays')
        self.met(quirks)
        self.portal.post('hide?entity=deals&hidden=0&id=%d' % self.hidden)
        wait_for(self.same, 'the rows follow what was tried', 20)

    def figures(self, quirks):
        self.open(quirks)
        self.potok.sync()
        self.listen()
        self.follows()
        self.potok.sync()
        self.exact()
        self.tried(quirks)

    def local(self, quirks):
        """Deletions that no event told are found as well."""
        self.forms(quirks)
        gone = sorted(self.portal.truth('leads'))[7]
        self.silently_deleted(gone)
        self.assertEqual(0, self.potok.potok('sync', 'leads', '--deletions').returncode)
        wait_for(lambda: self.potok.query('SELECT id FROM crm_leads WHERE id = ? AND _deleted_at IS NOT NULL', gone), 'it is gone', 20)
        self.exact()

    def silently_deleted(self, lead):
        """Of events that are held back, none comes."""
        self.portal.post('events/faults?drop=100')
        self.result('crm.lead.delete', id=lead)
        wait_for(lambda: not self.portal.stats()['events']['waiting'] + self.portal.stats()['events']['going'], 'it was dropped', 10)
        self.portal.post('events/faults?drop=0')

    def billing(self, quirks):
        """Operating seconds are spent within the load: whoever pays them, nobody is refused."""
        self.open(quirks, dict(OPERATING_LIMIT_SECONDS=30), deals=15000, contacts=10, companies=10, leads=10, operating_limit=30,
                  operating_window=6, operating_cost=4)
        began = time.monotonic()
        self.potok.sync('deals')
        self.took = time.monotonic() - began
        self.met(quirks)
        self.assertEqual([], self.differences(['deals']))

    def bucket(self, quirks):
        """Never refused while it is alone; somebody else at our address makes it wait, and no more."""
        self.open(quirks, dict(BITRIX_TARIFF='10/15'), tariff='10/15', deals=3000)
        self.potok.sync()
        self.assertEqual(0, self.portal.stats()['refused_503'], 'alone it is never refused')
        self.potok.expect('job.retry', 'portal.refused')
        self.portal.post('change?count=30&kind=mix')
        self.met(quirks)
        self.burst()
        self.potok.sync()
        self.exact()
        self.assertIn((503, 'QUERY_LIMIT_EXCEEDED'), self.told())

    def plain(self, quirks):
        self.open(quirks)
        self.met(quirks)

    POSITIONS = FORMS, FIGURES, LOCAL, BILLING, BUCKET, PLAIN

    def test_the_table_is_whole(self):
        self.complete(*self.POSITIONS)

    def test_forms(self):
        self.forms(self.every(FORMS))

    def test_figures(self):
        self.figures(self.every(FIGURES))

    def test_local(self):
        self.local(self.every(LOCAL))

    def test_billing(self):
        self.billing(self.every(BILLING))

    def test_bucket(self):
        self.bucket(self.every(BUCKET))

    def test_plain(self):
        self.plain(self.every(PLAIN))

    @unittest.skipUnless(ALL, 'the long form')
    def test_each_alone(self):
        self.alone()

    # ---- what was met: values

    def met_ascii(self):
        lists = [a.raw for a in self.witness.answers if 'select[]=*' in str(a.commands)]
        self.assertTrue(any(re.search(rb'\\u04[0-9a-f]{2}', raw, re.I) for raw in lists))
        self.assertEqual([], [raw[:99] for raw in lists if max(raw) > 127])

    def met_numbers(self):
        found = self.witness.records(DEAL)
        self.assertEqual({int}, {type(record['ID']) for record in found})
        self.assertIn(int, {type(record.get('ASSIGNED_BY_ID')) for record in found})

    def met_local_midnight(self):
        printed = {record['CLOSEDATE'][10:] for record in self.witness.records(DEAL) if record.get('CLOSEDATE')}
        self.assertEqual({'T00:00:00+03:00'}, printed)

    def met_select_strict(self):
        self.assertNotIn('ID', self.result(DEAL, select=['TITLE'], order={'ID': 'ASC'})[0])
        lists = [c for a in self.witness.answers for c in a.commands.values() if '.list?' in c and 'userfield' not in c]
        self.assertEqual([], [c for c in lists if 'select[]=*' not in c and 'select[]=ID' not in c])

    def met_binding_bare(self):
        told = [record['UF_CRM_BINDING'] for record in self.witness.records(DEAL) if record.get('UF_CRM_BINDING')]
        self.assertTrue(told)
        self.assertEqual([], [text for text in told if not text.isdigit()])

    def met_dealcategory_default(self):
        self.assertEqual('0', self.result('crm.dealcategory.list')[0]['ID'])

    def met_json_plain(self):
        lists = b''.join(a.raw for a in self.witness.answers if 'select[]=*' in str(a.commands))
        self.assertIn(b'&', lists)
        self.assertIsNone(re.search(rb'\\u002[67]|\\u003[CE]', lists))

    def multiple(self, **parameters):
        """Whether a deal in the list shows a multiple user field."""
        return any('UF_CRM_ENUM_M' in deal for deal in self.result(DEAL, order={'ID': 'ASC'}, **parameters))

    def met_mask_multiple(self):
        self.assertTrue(self.multiple(select=['UF_*']))

    def met_select_standard(self):
        self.assertFalse(any('UF_CRM_STRING' in deal for deal in self.result(DEAL)))
        lists = [c for a in self.witness.answers for c in a.commands.values() if '.list?' in c and 'userfield' not in c]
        self.assertEqual([], [c for c in lists if 'select[]=' not in c])

    # ---- figures

    def met_total_hidden(self):
        status, answer = self.call(DEAL, filter={'<=ID': self.hidden})
        self.assertEqual((200, [], 1), (status, answer['result'], answer['total']))
        self.potok.sync('deals')
        self.assertEqual('done', self.potok.status()['runs'][-1]['state'])

    def met_total_absent(self):
        told = [k in a.part('result_total') for a in self.witness.answers for k, c in a.commands.items() if 'start=-1' in c]
        self.assertEqual({False}, set(told))

    def met_total_true(self):
        self.assertGreater(max(self.witness.all('result_total')), 50)

    def met_time_integer(self):
        times = self.witness.all('result_time')
        self.assertEqual(({int}, {0}), ({type(t['start']) for t in times}, {t['processing'] for t in times}))

    def met_no_operating(self):
        times = self.witness.all('result_time') + [a.document['time'] for a in self.witness.answers]
        self.assertEqual([], [t for t in times if 'operating' in t or 'operating_reset_at' in t])

    def met_no_reset(self):
        times = self.witness.all('result_time')
        self.assertEqual({(True, False)}, {('operating' in t, 'operating_reset_at' in t) for t in times})

    def met_operating_zero(self):
        self.assertEqual({0}, {t['operating'] for t in self.witness.all('result_time')})

    def met_reset_iso(self):
        self.assertEqual({str}, {type(t['operating_reset_at']) for t in self.witness.all('result_time')})

    def met_retry_after(self):
        self.burst()
        status, _ = self.call('profile')
        self.assertEqual(503, status)
        self.potok.sync('leads')
        self.assertTrue([a for a in self.witness.answers if a.status == 503 and 'Retry-After' in a.headers])

    def met_batch_operating(self):
        told = [(a.document['time']['operating'], max(t['operating'] for t in a.part('result_time').values()))
                for a in self.witness.answers if a.pages(DEAL)]
        self.assertEqual([], [pair for pair in told if pair[0] != pair[1]])
        self.assertGreater(max(told)[0], 0)

    def met_batch_pays(self):
        self.assertEqual(0, self.portal.stats()['refused_429'])
        self.assertGreater(self.took, 3, 'it had to wait for the window')
        lists = [a for a in self.witness.answers if a.pages(DEAL)]
        self.assertEqual({0}, {t['operating'] for a in lists for t in a.part('result_time').values()})
        self.assertGreater(max(a.document['time']['operating'] for a in lists), 20)

    # ---- requests

    BURST = 18

    def burst(self):
        """How many of so many requests pass at once."""
        return [self.call('profile')[0] for _ in range(self.BURST)].count(200)

    def burst_of_empty(self):
        """Of an empty bucket, between two ticks, before anything leaks."""
        while True:
            time.sleep(self.BURST / 10 + 1 - time.monotonic() % 1)
            self.portal.post('reset-stats')
            began = time.monotonic()
            passed = self.burst()
            if int(began) == int(time.monotonic()) and time.monotonic() - began < 1 / 10:
                return passed

    def met_bucket_strict(self):
        self.assertEqual(15, self.burst_of_empty(), 'it would be one more')

    def met_bucket_continuous(self):
        self.portal.post('reset-stats')
        for _ in range(3):
            self.call('profile')
            time.sleep(0.07)
        self.assertNotEqual(0, self.portal.stats()['bucket_max'] % 1)

    def met_bucket_refused(self):
        self.portal.post('reset-stats')
        self.burst()
        self.assertGreater(self.portal.stats()['bucket_max'], 16)

    # ---- commands and refusals

    def met_unresolved_empty(self):
        word = '$result[one][NOTHING]'
        first = min(self.portal.truth('deals'))
        self.portal.post('set?entity=deals&id=%d' % first, {'TITLE': word})
        batch = {'one': 'crm.deal.get?id=%d' % first, 'two': 'crm.deal.list?filter[%%3DTITLE]=%s&select[]=ID&order[ID]=ASC' % word}
        self.assertNotIn(str(first), [str(r['ID']) for r in self.result('batch', cmd=batch)['result']['two']])
        chained = [a for a in self.witness.answers if len(a.pages(DEAL)) > 2]
        self.assertTrue(any(0 < len(a.part('result').get('p00', [])) < 50 or len(a.part('result').get('p07', [])) for a in chained))

    def met_blank_literal(self):
        word, first = '$result[one][PROBABILITY]', min(self.portal.truth('deals'))
        self.portal.post('set?entity=deals&id=%d' % first, {'TITLE': word, 'PROBABILITY': None})
        batch = {'one': 'crm.deal.get?id=%d' % first, 'two': 'crm.deal.list?filter[%%3DTITLE]=%s&select[]=ID' % word}
        got = self.result('batch', cmd=batch)['result']
        self.assertIsNone(got['one']['PROBABILITY'])
        self.assertEqual([str(first)], [row['ID'] for row in got['two']])

    def met_scope_403(self):
        self.portal.post('scope?allow=user')
        self.assertEqual((403, 'insufficient_scope'), self.error(DEAL))
        self.potok.expect('portal.stopped', 'sync.failed')
        done = self.potok.potok('sync', 'deals', '--full', '--wait')
        self.assertEqual(1, done.returncode)
        self.assertIn('scope crm', done.stdout + done.stderr)
        self.portal.post('scope?allow=crm,user')
        self.potok.sync()

    def error(self, method, url=None, **parameters):
        status, answer = self.call(method, **parameters) if url is None else self.portal.answer_of(
            urllib.request.Request(url + method, b'{}', {'Content-Type': 'application/json'}))
        return status, answer['error']

    def stops(self, url, word):
        """`potok up --once` with that address ends with what is wrong."""
        pipeline = self.pipeline(None, BITRIX_WEBHOOK_URL=url)
        pipeline.home += '-wrong'
        pipeline.environment.update(POTOK_HOME=pipeline.home, DATABASE_URL='sqlite:///%s/potok.db' % pipeline.home)
        pipeline.expect('portal.stopped', 'sync.failed', 'service.failed', 'run.failed')
        done = pipeline.potok('up', '--once', timeout=60)
        self.assertEqual(1, done.returncode, done.stderr[-2000:])
        self.assertIn(word, done.stdout + done.stderr)
        self.assertNotIn('wrongwrong', done.stdout + done.stderr)
        return {line['event'] for line in pipeline.log()}

    def wrong(self, url=None):
        return re.sub(r'/1/\w+/$', '/1/wrongwrongwrong1/', url or self.witness.url)

    def met_no_auth_found(self):
        self.assertEqual((401, 'NO_AUTH_FOUND'), self.error('profile', self.wrong(self.portal.url)))
        self.stops(self.wrong(), 'NO_AUTH_FOUND')
        self.assertIn((401, 'NO_AUTH_FOUND'), self.told())

    def told(self):
        """(status, code) of every refusal that the client met."""
        return {(a.status, a.document.get('error')) for a in self.witness.answers if 'error' in a.document}

    def met_method_400(self):
        self.assertEqual((400, 'ERROR_METHOD_NOT_FOUND'), self.error('crm.no.such.method'))
        self.assertEqual((400, 'ERROR_METHOD_NOT_FOUND'), self.error('', re.sub(r'/1/(\w+)/$', r'/\1/', self.portal.url)))

    def met_errors_200(self):
        self.assertEqual((200, 'INVALID_CREDENTIALS'), self.error('profile', self.wrong(self.portal.url)))
        self.assertIn('portal.stopped', self.stops(self.wrong(), 'secret or user id is wrong'))
        self.assertIn((200, 'INVALID_CREDENTIALS'), self.told())
        self.portal.post('scope?allow=user')
        self.assertEqual((200, 'insufficient_scope'), self.error(DEAL))
        self.potok.expect('portal.stopped', 'sync.failed')
        self.assertEqual(1, self.potok.potok('sync', 'deals', '--full', '--wait').returncode)
        self.portal.post('scope?allow=crm,user')
        self.potok.sync()

    def met_denied_403(self):
        for method in 'crm.deal.get', 'crm.deal.contact.items.get', 'crm.item.get':
            self.assertEqual((403, 'ACCESS_DENIED'), self.error(method, id=self.hidden, entityTypeId=2))
        self.assertIn('ACCESS_DENIED', {e['error'] for e in self.witness.all('result_error')})
        self.assertEqual(200, self.call('crm.deal.get', id=max(self.portal.truth('deals')))[0])

    def met_denied_credentials(self):
        for method in 'crm.deal.get', 'crm.deal.contact.items.get', 'crm.item.get':
            self.assertEqual('INVALID_CREDENTIALS', self.error(method, id=self.hidden, entityTypeId=2)[1])
        self.assertIn('INVALID_CREDENTIALS', {e['error'] for e in self.witness.all('result_error')})

    def met_classic_localized(self):
        told = {(e['error'], e['error_description']) for e in self.witness.all('result_error')}
        self.assertEqual({('', 'Элемент не найден'), ('', 'Доступ запрещен.')}, told)

    def met_https_required(self):
        self.stops(self.witness.url, 'https')
        self.assertEqual({(400, 'INVALID_REQUEST')}, self.told())

    def met_option_exception(self):
        status, code = self.error('app.option.get')
        self.assertEqual(400, status)
        self.assertNotEqual('ACCESS_DENIED', code)

    def met_event_context(self):
        for method in 'event.get', 'events', 'event.offline.get':
            self.assertEqual((403, 'ACCESS_DENIED'), self.error(method))
        self.assertEqual('ACCESS_DENIED', self.result('batch', cmd={'a': 'event.get'})['result_error']['a']['error'])

    def met_smart_restricted(self):
        self.assertEqual((400, 'CREATE_DYNAMIC_ITEM_RESTRICTED'), self.error('crm.item.add', entityTypeId=156, fields={'title': 'x'}))

    def met_import_silent(self):
        deal = self.result('crm.item.import', entityTypeId=2, fields={'title': 'imported'})['item']['id']
        self.result('crm.item.delete', entityTypeId=2, id=deal)
        heard = wait_for(lambda: [e['event'] for e in self.listener.events() if e.get('data[FIELDS][ID]') == str(deal)], 'its end')
        self.assertEqual(['ONCRMDEALDELETE'], heard)

    def met_comm_classic(self):
        self.assertEqual((400, ''), self.error('crm.duplicate.findbycomm', values=['x']))

    def met_item_text(self):
        fields = self.result('crm.item.fields', entityTypeId=2)['fields']
        name = next(k for k, f in fields.items() if f['type'] == 'employee' and not f['isMultiple'])
        self.assertEqual({str}, {type(item[name]) for item in self.items() if item[name] not in (None, 0)})

    def met_not_found_dot(self):
        self.assertIn('Not found.', {e['error_description'] for e in self.witness.all('result_error')})

    def met_not_found_own(self):
        missing, told = dict(id=2000000000, fields={}), {}
        for method in 'contact.update', 'contact.delete', 'company.update', 'company.delete', 'lead.contact.items.get', 'deal.update':
            answer = self.call('crm.' + method, **missing)[1]
            told[method] = answer['error'], answer['error_description'].rstrip('.')
        self.assertEqual({'contact.update': ('', 'Contact is not found'), 'contact.delete': ('ERROR_CORE', 'Element not found'),
                          'company.update': ('', 'Company is not found'), 'company.delete': ('', 'Company is not found'),
                          'lead.contact.items.get': ('NOT_FOUND', 'Not found'), 'deal.update': ('', 'Not found')}, told)

    def met_context_403(self):
        self.assertEqual((403, 'WRONG_AUTH_TYPE'), self.error('app.info'))

    # ---- events

    def met_no_handler_id(self):
        self.assertTrue(self.listener.events())
        self.assertEqual([], [e for e in self.listener.events() if 'event_handler_id' in e])

    def met_short_auth(self):
        self.assertEqual({('auth[application_token]', 'auth[domain]', 'auth[member_id]')},
                         {tuple(sorted(k for k in e if k.startswith('auth['))) for e in self.listener.events()})

    def modified(self, deal):
        return self.result('crm.deal.get', id=deal)['DATE_MODIFY']

    def after(self, deal, act):
        """Events of the deal by the act, and whether its time moved."""
        before, count = self.modified(deal), len(self.listener.events())
        time.sleep(max(0, 1.05 - time.time() % 1))
        act()
        self.portal.post('set?entity=contacts&id=%d' % min(self.portal.truth('contacts')), {'NAME': 'after %s' % time.time()})
        wait_for(lambda: 'ONCRMCONTACTUPDATE' in [e['event'] for e in self.listener.events()[count:]], 'the event behind it', 10)
        wait_for(lambda: not self.portal.stats()['events']['waiting'] + self.portal.stats()['events']['going'], 'all are sent', 10)
        told = [e['event'] for e in self.listener.events()[count:] if e['data[FIELDS][ID]'] == str(deal)]
        return [t for t in told if 'DEAL' in t], self.modified(deal) != before

    def met_unchanged_silent(self):
        deal = sorted(self.portal.truth('deals'))[5]
        fields = {'TITLE': self.result('crm.deal.get', id=deal)['TITLE']}
        self.assertEqual(([], False), self.after(deal, lambda: self.result('crm.deal.update', id=deal, fields=fields)))

    def met_link_touches(self):
        deal = next(d for d in sorted(self.portal.truth('deals'))[5:] if len(self.result('crm.deal.contact.items.get', id=d)) > 0)
        linked = {link['CONTACT_ID'] for link in self.result('crm.deal.contact.items.get', id=deal)}
        other = max(set(self.portal.truth('contacts')) - linked)
        add = {'CONTACT_ID': other, 'IS_PRIMARY': 'N'}
        self.assertEqual((['ONCRMDEALUPDATE'], True),
                         self.after(deal, lambda: self.result('crm.deal.contact.add', id=deal, fields=add)))

    # ---- methods that the client does not call

    def items(self, **parameters):
        return self.result('crm.item.list', entityTypeId=2, order={'id': 'ASC'}, **parameters)['items']

    def met_item_link_null(self):
        links = {item['companyId'] for item in self.items(select=['id', 'companyId'])}
        self.assertTrue(None in links and 0 not in links, links)

    def met_item_404(self):
        self.assertEqual((404, 'NOT_FOUND'), self.error('crm.item.get', entityTypeId=2, id=2000000000))

    def met_item_time_plain(self):
        self.assertTrue(self.items(filter={'>=createdTime': '2100-01-01T00:00:00+03:00'}), 'it is ignored')
        self.assertFalse(self.items(filter={'>=createdTime': '2100-01-01 00:00:00'}))

    def met_item_names_fine(self):
        items = self.items(select=['id', 'title'], useOriginalUfNames='Y')
        self.assertEqual([], [item for item in items if not isinstance(item, dict) or 'title' not in item])

    def met_item_clears(self):
        fields = self.result('crm.item.fields', entityTypeId=2)['fields']
        name = next(k for k, f in fields.items() if f['upperName'] == 'UF_CRM_ENUM_M')
        deal = next(i['id'] for i in self.items() if i[name])
        self.assertEqual([], self.result('crm.item.update', entityTypeId=2, id=deal, fields={name: []})['item'][name])

    def met_history_text(self):
        rows = self.result('crm.stagehistory.list', entityTypeId=2)['items']
        self.assertEqual({str}, {type(row['ID']) for row in rows})


if __name__ == '__main__':
    unittest.main()
