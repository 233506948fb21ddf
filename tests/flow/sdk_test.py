"""The vendor's own client against the sandbox: neither of them was written for the other, so where they disagree the
sandbox is wrong or the fact sheet is."""
import decimal
import json
import unittest

from support import wire
from support.certificate import certificate
from support.harness import ENTITIES, Scenario
from support.sdk import Sdk


class Client(Scenario):
    def portal(self, **sizes):
        self.cert, key = certificate(self.folder, 'portal')
        return self.sandbox(tls_cert=self.cert, tls_key=key, **sizes)

    def play(self, scenario, sandbox, **environment):
        sdk = Sdk(self.folder)
        sdk.run(scenario, sandbox, self.cert, **environment)
        return sdk

    def judge(self, sandbox, sdk, entity, item=False):
        rows, truth = sdk.left('whole.' + entity), sandbox.truth(entity)
        fields = sdk.left('fields.' + entity)
        names = {name: field['upperName'] for name, field in fields.items()} if item else {}
        if item and entity in ('leads', 'contacts', 'companies'):  # disabled: classic methods alone tell it
            self.assertEqual({None}, {row.pop('address') for row in rows})
        found = wire.differences(rows, names, truth, sandbox.columns(entity), item)
        self.assertEqual([], found, '%s differ from the truth: %s' % (entity, wire.text_of(found)))
        self.assertEqual(sorted(truth), [int(row['id' if item else 'ID']) for row in rows], 'all of them, in order')


def money(row):
    return decimal.Decimal(row.get('opportunity', '0'))


class Lists(Client):
    FILTERED = {
        'rich': lambda r: money(r) >= 1000000,
        'span': lambda r: 1000 < money(r) <= decimal.Decimal('500000.50'),
        'young': lambda r: r['date_create'] >= '2024-01-01T00:00:00Z',
        'stages': lambda r: r['stage_id'] in ('NEW', 'PREPARATION'),
        'among': lambda r: r['category_id'] == 0,
        'not_among': lambda r: r['category_id'] != 0,
        'other_funnels': lambda r: r['category_id'] != 0,
        'named': lambda r: 'поставка' in r['title'].lower(),
        'named_so': lambda r: r['title'].lower().startswith('поставка'),
        'both': lambda r: 'поставка' in r['title'].lower() and money(r) >= 1000000,
        'flagged': lambda r: r.get('uf_crm_flag') is True,
        'none': lambda r: False,
        'unknown': lambda r: True,
    }

    def test_lists_of_classic_methods_are_the_truth(self):
        sandbox = self.portal(deals=2400, contacts=1000, companies=300, leads=500)
        sdk = self.play('lists', sandbox)
        for entity in ENTITIES:
            self.judge(sandbox, sdk, entity)
        truth, filtered = sandbox.truth('deals'), sdk.left('filtered')
        for name, wanted in self.FILTERED.items():
            self.assertEqual(sorted(i for i, row in truth.items() if wanted(row)), filtered[name], name)
        fetched = sdk.left('fetched')
        self.assertEqual(sorted(sandbox.truth('contacts')), fetched['ids'])
        self.assertEqual({50}, set(fetched['pieces'][:-1]))

        pages = sdk.left('pages')
        right = sorted(((-money(row), i) for i, row in truth.items() if money(row) > 0))
        self.assertEqual([i for _, i in right], pages['ids'])
        self.assertEqual({len(right)}, set(pages['totals']))
        self.assertEqual([True] * (len(pages['more']) - 1) + [False], pages['more'])

    def test_lists_of_all_the_rest(self):
        self.play('others', self.portal(scope='crm,user,department,task,telephony'))


class Items(Client):
    FILTERED = {
        'young': lambda r: r['date_create'] >= '2024-01-01T00:00:00Z',
        'rich': lambda r: money(r) > decimal.Decimal('1000000.5'),
        'stages': lambda r: r['stage_id'] in ('NEW', 'PREPARATION'),
        'not_stages': lambda r: r['stage_id'] not in ('NEW', 'PREPARATION'),
        'named': lambda r: 'поставка' in r['title'].lower(),
        'not_named': lambda r: 'поставка' not in r['title'].lower(),
        'either': lambda r: money(r) > 3000000 or 'поставка' in r['title'].lower(),
        'either_and': lambda r: r['stage_id'] != 'NEW' and
        (money(r) > 3000000 or ('поставка' in r['title'].lower() and r['category_id'] == 0)),
        'flagged': lambda r: r.get('uf_crm_flag') is True,
        'of_contacts': lambda r: r.get('contact_id') in (6, 8, 10, 12),
    }

    def test_items_of_every_type_are_the_truth(self):
        sandbox = self.portal(deals=1200, contacts=600, companies=150, leads=250, quotes=80, invoices=80, items=260)
        sdk = self.play('items', sandbox)
        for entity in ENTITIES + ('quotes', 'invoices', 'items'):
            self.judge(sandbox, sdk, entity, item=True)
        truth, filtered = sandbox.truth('deals'), sdk.left('filtered')
        for name, wanted in self.FILTERED.items():
            self.assertEqual(sorted(i for i, row in truth.items() if wanted(row)), filtered[name], name)
        self.assertEqual([156], sdk.left('types'))
        self.assertEqual(sorted(sandbox.truth('contacts')), sdk.left('fetched'))
        pages = sdk.left('pages')
        self.assertEqual(sorted((float(money(row)) for row in truth.values()), reverse=True),
                         [float(s or 0) for s in pages['sums']])
        self.assertEqual({len(truth)}, set(pages['totals']))



class Batches(Client):
    def test_batches_with_references_and_failures(self):
        sandbox = self.portal(deals=800)
        before = len(sandbox.truth('deals'))
        sdk = self.play('batches', sandbox)
        self.assertEqual(before + 1, sdk.left('total'), 'one was made by a batch')
        self.assertEqual(sorted(sandbox.truth('deals'))[:500], sdk.left('chain'))


class Writes(Client):
    def differences(self, sandbox, sdk, entity, name, item=False):
        names = {n: f['upperName'] for n, f in sdk.left('fields.' + entity).items()} if item else {}
        found = wire.differences(sdk.left(name), names, sandbox.truth(entity), sandbox.columns(entity), item)
        self.assertEqual([], found, '%s differ from the truth: %s' % (name, wire.text_of(found)))

    def test_records_made_changed_and_deleted(self):
        sandbox = self.portal(quotes=10, invoices=10, items=10)
        sdk = self.play('writes', sandbox)
        for entity in ENTITIES + ('quotes', 'invoices', 'items'):
            self.differences(sandbox, sdk, entity, 'item.' + entity, item=True)
            gone = [sdk.left('gone.item.' + entity)]
            if entity in ENTITIES:
                self.differences(sandbox, sdk, entity, entity)
                gone.append(sdk.left('gone.' + entity))
            self.assertFalse(set(gone) & set(sandbox.truth(entity)), entity)

    def test_rows_of_multifields(self):
        sandbox = self.portal()
        sdk = self.play('multifields', sandbox)
        for entity in 'contacts', 'companies', 'leads':
            self.differences(sandbox, sdk, entity, entity)

    def test_user_fields(self):
        sandbox = self.portal()
        sdk = self.play('fields', sandbox)
        for entity, rows in sdk.left('made').items():
            self.assertEqual(7, sum(name.startswith('UF_CRM_SDK_') for name in rows[0]))
            found = wire.differences(rows, {}, sandbox.truth(entity), sandbox.columns(entity))
            self.assertEqual([], found, '%s differ from the truth: %s' % (entity, wire.text_of(found)))


class Application(Client):
    def test_an_application_refreshes_its_token(self):
        sandbox = self.portal(app=1)
        sdk = self.play('oauth', sandbox, APPLICATION=json.dumps(sandbox.application()))
        self.assertEqual(sorted(sandbox.truth('deals')), sdk.left('ids'))


class Troubles(Client):
    def test_refusals_and_broken_answers(self):
        self.play('errors', self.portal())

    def test_a_client_that_keeps_below_the_limit_is_never_refused(self):
        sandbox = self.portal(tariff='10/20')
        self.play('limits', sandbox, TARIFF='10/5', MANY='30', PACED='1')
        stats = sandbox.stats()
        self.assertEqual((30, 0), (stats['requests'], stats['refused_503']))

    def test_a_refusal_is_waited_out(self):
        sandbox = self.portal(tariff='2/20')    # 25 at once are too many, however slowly they come
        sdk = self.play('limits', sandbox, TARIFF='2/20', MANY='25', PACED='0')
        self.assertEqual(sandbox.stats()['refused_503'], sdk.left('retries'))
        self.assertGreater(sdk.left('retries'), 0)


if __name__ == '__main__':
    unittest.main()
