"""Hostile portals: answers that no portal should give. Each is met by lists of a full sync; the sync goes on and ends exact,
within bounded time and memory, and the reason is told."""
import itertools
import json
import re
import unittest

from support import truth
from support.harness import ENTITIES, Scenario
from support.hostile import (CHUNKED, JSON, Hostile, bomb, chunk, cut_gzip, cut_mid_chunk, document, drip, first_page, first_record,
                             forever, hang, html, longer_than_told, pages, raw, redirect, reset, shorter_than_told, text)

METHODS = {'deals': 'crm.deal.list', 'contacts': 'crm.contact.list', 'companies': 'crm.company.list', 'leads': 'crm.lead.list'}
TROUBLED = 'job.retry', 'job.given_up', 'portal.unwell', 'portal.refused', 'answer.nonsense', 'record.aside', 'log.repeated'
ANSWER_MAX = 4 << 20
MEMORY_KIB = 96 * 1024     # of the fetcher, whatever portals send

WIRE = (
    ('a gateway page', html(502), 'HTTP 502: a web page'),
    ('a page of another gateway', html(503), 'HTTP 503: a web page'),
    ('a time-out page', html(504), 'HTTP 504: a web page'),
    ('an error page', html(500), 'HTTP 500: a web page'),
    ('a firewall', html(403), 'HTTP 403: a web page'),
    ('a site under repair', html(200, '<!DOCTYPE html><p>Портал обновляется'), 'HTTP 200: a web page'),
    ('text', html(200, 'Service temporarily unavailable'), 'HTTP 200: JSON'),
    ('an empty body', html(200, ''), 'HTTP 200: an empty body'),
    ('nothing', raw(b''), '127.0.0.1'),
    ('a reset before the headers', raw(b'', reset), '127.0.0.1'),
    ('a reset after the headers', raw(JSON + b'Content-Length: 500\r\n\r\n', reset), '127.0.0.1'),
    ('a reset in the body', raw(JSON + b'Content-Length: 500\r\n\r\n{"result":', reset), '127.0.0.1'),
    ('a cut chunk', cut_mid_chunk, '127.0.0.1'),
    ('no chunk at all', raw(CHUNKED + b'zz\r\n'), '127.0.0.1'),
    ('a body shorter than told', shorter_than_told, '127.0.0.1'),
    ('a body longer than told', longer_than_told, 'JSON'),
    ('a cut gzip', cut_gzip, ''),
    ('no gzip', lambda call: call.answer(b'{"result":{}}', Content_Encoding='gzip'), '127.0.0.1'),
    ('a gzip bomb', bomb(64), 'more than 50 times'),
    ('ten encodings', lambda call: call.answer(b'x', Content_Encoding=', '.join(['gzip'] * 10)), '127.0.0.1'),
    ('an endless body', raw(CHUNKED, forever(chunk(b'[' + b'1,' * 32768))), 'larger than'),
    ('endless blanks', raw(JSON + b'\r\n', forever(b' ' * 65536)), 'larger than'),
    ('endless headers', raw(JSON, forever(b'X-More: ' + b'x' * 1000 + b'\r\n')), 'headers'),
    ('an endless header', raw(JSON + b'X: ', forever(b'x' * 65536)), '127.0.0.1'),
    ('endless beginnings', raw(b'', forever(b'HTTP/1.1 100 Continue\r\n\r\n' * 100)), 'headers'),
    ('no HTTP', raw(b'220 mail.example ESMTP\r\n'), 'no HTTP'),
    ('an old HTTP', raw(b'{"result":{"result":{"p49":[],"p00":[]}}}'), '127.0.0.1'),
    ('a hang before the headers', hang, 'imeout'),
    ('a hang in the body', raw(JSON + b'Content-Length: 500\r\n\r\n{"result":', hang), 'imeout'),
    ('a drip', raw(JSON + b'Content-Length: 5000\r\n\r\n', drip), 'imeout'),
    ('a page of itself', redirect('/bitrix/login/'), 'another page of its own'),
    ('a Retry-After of a century', lambda call: call.answer(
        '{"error":"QUERY_LIMIT_EXCEEDED","error_description":"x"}', 503, Retry_After='-5'), ''),
)


def swap(page):
    page[3], page[4] = page[4], page[3]


def set_id(value):
    return first_record(lambda record: record.update(ID=value))


def twice(page):
    page[7] = dict(page[6])


def unlisted(answer):
    answer['result']['result'] = list(answer['result']['result'].values())


def again(answer):
    """$result was not resolved: each page is the first again."""
    for key in pages(answer):
        answer['result']['result'][key] = answer['result']['result']['p00']


def mixed_up(answer):
    """A later page begins before the end of the one before it."""
    results = answer['result']['result']
    if len(results.get('p01', [])) > 2:
        results['p01'] = results['p00'][-1:] + results['p01'][:-1]


def cut_pages(answer):
    """A page that shows less than there is, and nothing that may be believed behind it."""
    results = answer['result']['result']
    results['p00'] = results['p00'][:20]


def no_end(answer):
    del answer['result']['result']['p49']


def part(answer):
    """The portal stopped after the first page."""
    for key in list(pages(answer)):
        if key != 'p00':
            del answer['result']['result'][key]


def part_with_error(answer):
    part(answer)
    answer['result']['result_error'] = {'p01': {'error': 'INTERNAL_SERVER_ERROR', 'error_description': 'Internal server error'}}


def blocked(answer):
    part(answer)
    answer['result']['result_error'] = {'p01': {'error': 'OPERATION_TIME_LIMIT', 'error_description': 'x'}}
    for time in answer['result']['result_time'].values():
        time.update(operating_reset_at=answer['time']['finish'] + 1)


def keyed(answer):
    """PHP's list with a hole: an object of numbers."""
    for key, page in pages(answer).items():
        answer['result']['result'][key] = {str(i + (i > 2)): record for i, record in enumerate(page)}


def no_times(answer):
    del answer['time']
    del answer['result']['result_time']


def times(value):
    def change(answer):
        answer['time'] = value
        answer['result']['result_time'] = {'p00': value}
    return document(change)


def operating(used, reset):
    def change(answer):
        for time in [answer['time']] + list(answer['result']['result_time'].values()):
            time.update(operating=used, operating_reset_at=reset)
    return document(change)


def clock(seconds):
    def change(answer):
        for time in [answer['time']] + list(answer['result']['result_time'].values()):
            for name in 'start', 'finish', 'operating_reset_at':
                time[name] = time.get(name, 0) + seconds
            time.update(date_start='2124-01-01T00:00:00+03:00', date_finish='2124-01-01T00:00:00+03:00')
    return document(change)


def key_again(body):
    return re.sub(rb'"p00":', b'"p00":[],"p00":', body, count=1)


NONSENSE = 'portal answered nonsense'
SAID = (
    ('deep nesting', text(lambda body: b'[' * 100000), 'deep'),
    ('deep nesting in a record', first_record(lambda r: r.update(TITLE=json.loads('[' * 90 + ']' * 90))), 'deep'),
    ('NaN', first_record(lambda r: r.update(OPPORTUNITY=float('nan'))), 'JSON'),
    ('ids out of order', first_page(swap), NONSENSE),
    ('a page that begins again', document(again), ''),
    ('a page mixed up', document(mixed_up), ''),
    ('a record twice', first_page(twice), NONSENSE),
    ('no id', first_record(lambda r: r.pop('ID')), NONSENSE),
    ('an id with a blank', set_id('42 '), NONSENSE),
    ('a huge id', set_id('99999999999999999999999'), NONSENSE),
    ('a negative id', set_id(-7), NONSENSE),
    ('an id that is a list', set_id([]), NONSENSE),
    ('[] for a record', first_page(lambda page: page.__setitem__(5, [])), NONSENSE),
    ('[] for all', document(lambda a: a.update(result=[])), NONSENSE),
    ('true for all', document(lambda a: a.update(result=True)), NONSENSE),
    ('a list for the commands', document(unlisted), NONSENSE),
    ('a word for a page', document(lambda a: a['result']['result'].update(p00='x')), NONSENSE),
    ('an object for a page', document(lambda a: a['result']['result'].update(p00={'ID': '1'})), NONSENSE),
    ('a key twice', text(key_again), NONSENSE),
    ('51 records', first_page(lambda page: page.append(dict(page[-1], ID=str(int(page[-1]['ID']) + 1)))), ''),
    ('numbers for keys', document(keyed), ''),
    ('no times', document(no_times), ''),
    ('times that are none', times({'start': [], 'finish': {}, 'date_finish': 7, 'operating': 'x', 'operating_reset_at': []}), ''),
    ('times that are a word', times('now'), ''),
    ('operating from another world', operating(1e12, 1e15), ''),
    ('operating in words', operating('a lot', 'tomorrow'), ''),
    ('operating as strings', operating('1.5', '99999999999'), ''),
    ('a clock a year ahead', clock(31536000), ''),
    ('a clock a year behind', clock(-31536000), ''),
    ('a short page', document(cut_pages), ''),
    ('an empty page', document(lambda a: a['result']['result'].update(p00=[])), 'shorter than it should be'),
    ('an answer in part', document(part), ''),
    ('an answer in part, with an error', document(part_with_error), ''),
    ('a limit met within a batch', document(blocked), ''),
    ('no greatest id', document(no_end), NONSENSE),
    ('an error of the portal', document(lambda a: {'error': 'INTERNAL_SERVER_ERROR', 'error_description': 'x'}), 'INTERNAL_SERVER_ERROR'),
)


class HostilePortal(Scenario):
    def meets(self, troubles):
        sandbox = self.sandbox(deals=400, contacts=300, companies=200, leads=200)
        with Hostile(sandbox) as portal:
            pipeline = self.pipeline(None, BITRIX_WEBHOOK_URL=portal.url, JOB_DEADLINE='3s', ANSWER_MAX_BYTES=ANSWER_MAX,
                                     LOG_LEVEL='DEBUG', BITRIX_TARIFF='1000/5000')
            pipeline.expect(*TROUBLED)
            pipeline.start()
            groups = iter(troubles)
            while group := list(itertools.islice(groups, len(ENTITIES))):
                sandbox.post('change?count=40&kind=mix')
                strikes = [(name, portal.strike(trouble, where=METHODS[entity]), entity)
                           for (name, trouble, _), entity in zip(group, ENTITIES)]
                pipeline.sync(timeout=60)
                self.assertEqual([], [name for name, strike, _ in strikes if strike.struck == 0])
                portal.clear()
                with self.subTest([name for name, _, _ in strikes]):
                    truth.check(self, pipeline, sandbox, [entity for _, _, entity in strikes])
            self.told(pipeline, troubles)
            self.bounded(pipeline)
            self.assertEqual([], pipeline.query('SELECT * FROM potok_job WHERE state = ?', 'aside'))

    def told(self, pipeline, troubles):
        """Every failure names its reason, and never the secret."""
        secret = pipeline.environment['BITRIX_WEBHOOK_URL'].rstrip('/').rsplit('/', 1)[1]
        log = [json.dumps(e, ensure_ascii=False) for e in pipeline.log()]
        self.assertEqual([], [line for line in log if secret in line])
        for name, _, word in troubles:
            self.assertTrue(any(word in line for line in log if '"job.failed"' in line), '%s: %s is not told' % (name, word))

    def bounded(self, pipeline):
        with open('/proc/%d/status' % pipeline.pid('fetcher')) as f:
            peak = int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1))
        self.assertLess(peak, MEMORY_KIB, 'KiB of the fetcher at most')

    def test_troubles_of_the_wire(self):
        self.meets(WIRE)

    def test_troubles_of_what_is_said(self):
        self.meets(SAID)


if __name__ == '__main__':
    unittest.main()
