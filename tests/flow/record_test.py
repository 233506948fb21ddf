"""A portal is recorded, the recording says nothing of anybody, and it answers in the portal's place."""
import json
import os
import re
import stat
import subprocess
import unittest
import urllib.error
import urllib.request

from support.harness import BIN, ENTITIES, Scenario

PACE = {'BITRIX_TARIFF': '1000/1100'}
QUIRKS = 'ascii', 'numbers', 'local-midnight', 'total-absent', 'time-integer', 'method-400', 'scope-403', 'unresolved-empty'
TEXTS = {'TITLE', 'NAME', 'LAST_NAME', 'SECOND_NAME', 'COMMENTS', 'VALUE', 'ADDRESS', 'POST', 'COMPANY_TITLE'}
COLUMNS = {'title', 'name', 'second_name', 'last_name', 'comments', 'post', 'company_title', 'source_description',
           'status_description', 'banking_details', 'phone', 'email', 'web', 'im'}
IDS = re.compile(r'^(ID|(?!XML|ORIGIN|ORIGINATOR|LOCATION).*_ID|.*_BY)$')
VOLATILE = {'start', 'finish', 'duration', 'processing', 'date_start', 'date_finish', 'operating_reset_at', 'operating'}


def exchanges(folder):
    for name in sorted(os.listdir(folder)):
        if name.endswith('.json') and name != 'manifest.json':
            with open(os.path.join(folder, name)) as f:
                about = json.load(f)
            with open(os.path.join(folder, name[:-5] + '.body'), 'rb') as f:
                yield about, f.read()


def shape(value, key=''):
    """What two recordings of one portal have in common: ids and codes as they are, texts by their build."""
    if isinstance(value, dict):
        return {k: shape(v, k) for k, v in value.items() if k not in VOLATILE}
    if isinstance(value, list):
        return [shape(v, key) for v in value]
    if isinstance(value, bool) or value is None:
        return value
    if IDS.match(key):
        return value
    text = str(value) if not isinstance(value, str) else value
    text = re.sub(r'\d', '9', text)
    text = ''.join('a' if c.isalpha() else c for c in text)
    return type(value).__name__, text


def marks(body):
    """JSON's own signs and how many escapes of which kind stand between them."""
    return re.sub(rb'[^\\\x01{}\[\]:,"]', b'', re.sub(rb'\\u[0-9a-fA-F]{4}', b'\x01', body))


def numbers(body):
    return json.loads(body, parse_float=str, parse_int=str)


def texts(value, key=''):
    """Every text of a person's making, with its key."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from texts(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from texts(v, key)
    elif isinstance(value, str) and (key in TEXTS or key.startswith('UTM_')):
        yield key, value


def ask(url, method, params):
    request = urllib.request.Request(url + method, data=json.dumps(params).encode(),
                                     headers={'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as e:
        return e.code, json.load(e)


class Replay:
    """potok-sandbox on a recording."""

    def __init__(self, folder, log):
        with open(log, 'ab') as err:
            self.process = subprocess.Popen([BIN + '/potok-sandbox', '--replay', folder], stdout=subprocess.PIPE,
                                            stderr=err, text=True)
        line = self.process.stdout.readline().strip()
        if not line.startswith('BITRIX_WEBHOOK_URL='):
            raise AssertionError('the replay did not start: ' + line)
        self.url = line.split('=', 1)[1]

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


class Record(Scenario):
    def record(self, url, name, *more, code=0):
        folder = os.path.join(self.folder, name)
        done = self.pipeline(None, BITRIX_WEBHOOK_URL=url, **PACE).potok('record', '--out', folder, *more)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return folder, done

    def replay(self, folder):
        replay = Replay(folder, os.path.join(self.folder, 'replay.log'))
        self.addCleanup(replay.close)
        return replay

    def portal(self, *quirks, **sizes):
        return self.sandbox(*[word for q in quirks for word in ('--quirk', q)], **sizes)

    def test_nothing_of_the_portal_survives(self):
        sandbox = self.portal(deals=400, contacts=300, companies=100, leads=200)
        sandbox.post('set?entity=deals&id=%d' % min(sandbox.truth('deals')), {
            'TITLE': 'Поставка кирпича Громозекову', 'COMMENTS': 'позвонить +79161234567, Gromozekov@example.ru'})
        folder, done = self.record(sandbox.url, 'rec')
        secret, host = sandbox.url.rstrip('/').rsplit('/', 1)[1], '127.0.0.1'
        words = set()
        for entity in ENTITIES:
            for values in sandbox.truth(entity).values():
                for column, value in values.items():
                    if column in COLUMNS or column.startswith(('address', 'reg_address', 'utm_')):
                        words.update(w for w in re.findall(r'[^\W\d_]{9,}', str(value)))
        words.update(('Громозекову', '79161234567', 'Gromozekov'))
        self.assertGreater(len(words), 50)
        words.discard('blockquote')     # markup is form
        everything = ''
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode), name)
            with open(path, encoding='utf-8', errors='surrogateescape') as f:
                text = f.read()
            everything += re.sub(r'\\u([0-9a-fA-F]{4})', lambda m: chr(int(m.group(1), 16)), text)
        self.assertNotIn(secret, everything)
        self.assertNotIn(host, everything)
        left = sorted(w for w in words if w in everything)
        self.assertEqual([], left)
        self.assertIn('4', done.stdout)

    def test_no_word_of_a_text_stays_in_its_place(self):
        sandbox = self.portal(deals=60, contacts=60, companies=60, leads=60)
        folder, _ = self.record(sandbox.url, 'rec')
        compared = 0
        for about, body in exchanges(folder):
            if about['row'] not in ('uncounted', 'get', 'records') or about.get('secret'):
                continue
            before = list(texts(ask(sandbox.url, about['method'], about['params'])[1]['result']))
            after = list(texts(json.loads(body)['result']))
            self.assertEqual([k for k, _ in before], [k for k, _ in after])
            for (key, old), (_, new) in zip(before, after):
                self.assertEqual(len(old), len(new))
                for match in re.finditer(r'[^\W\d_]{4,}|[1-9]\d{3,}', old):
                    tag = old[max(0, match.start() - 2):match.start()]
                    if match.group() in ('nbsp', 'quot', 'https', 'http', 'mailto') or tag.endswith(('<', '</', '[', '[/')):
                        continue
                    self.assertNotEqual(match.group(), new[match.start():match.end()], (key, old))
                    compared += 1
        self.assertGreater(compared, 200)

    def test_a_recording_of_a_recording_is_the_same(self):
        sandbox = self.portal(*QUIRKS, deals=320, contacts=300, companies=100, leads=0)
        first, _ = self.record(sandbox.url, 'first', '--records', '150')
        second, _ = self.record(self.replay(first).url, 'second', '--records', '150')
        pairs = list(zip(exchanges(first), exchanges(second), strict=True))
        self.assertGreater(len(pairs), 50)
        for (about, body), (again, body2) in pairs:
            for volatile in (about, again):
                volatile.pop('ms')
            self.assertEqual(about, again)
            self.assertEqual(shape(numbers(body)), shape(numbers(body2)), about)
            self.assertEqual(marks(body), marks(body2), about)
        with open(os.path.join(first, 'manifest.json')) as f, open(os.path.join(second, 'manifest.json')) as g:
            self.assertEqual(json.load(f), json.load(g))

    def test_a_full_sync_mirrors_the_recorded_records(self):
        for quirks, records in ((), 100000), (QUIRKS, 100):
            with self.subTest(records=records):
                sandbox = self.portal(*quirks, deals=3000, contacts=300, companies=100, leads=200)
                folder, _ = self.record(sandbox.url, 'rec-%d' % records, '--records', str(min(records, 25000)))
                replay = self.replay(folder)
                home = os.path.join(self.folder, str(records))
                os.mkdir(home)
                keep, self.folder = self.folder, home
                pipeline = self.pipeline(None, BITRIX_WEBHOOK_URL=replay.url, **PACE)
                self.folder = keep
                done = pipeline.potok('up', '--once')
                self.assertEqual(0, done.returncode, done.stdout + done.stderr)
                self.check_mirror(pipeline, folder, records)

    def check_mirror(self, pipeline, folder, records):
        recorded = {}
        for about, body in exchanges(folder):
            if about.get('records'):
                answers = json.loads(body)['result']['result']
                for key, command in about['params']['cmd'].items():
                    if 'select%5B%5D=%2A' not in command:
                        continue
                    rows = answers.get(key, [])
                    recorded.setdefault(command.split('.')[1], {}).update((int(row['ID']), row) for row in rows)
        names = {'deal': 'deals', 'contact': 'contacts', 'company': 'companies', 'lead': 'leads'}
        self.assertEqual(set(names), set(recorded))
        for name, rows in recorded.items():
            mirror = {row['id']: row for row in pipeline.query('SELECT * FROM crm_%s' % names[name])}
            self.assertEqual(sorted(rows), sorted(mirror))
            self.assertLessEqual(len(rows), records)
            for key, row in rows.items():
                for column in 'TITLE', 'LAST_NAME', 'COMMENTS', 'SOURCE_ID':
                    if column in row:
                        self.assertEqual(row[column], mirror[key][column.lower()])
                if row.get('DATE_CREATE'):
                    self.assertEqual(19 + 1, len(mirror[key]['date_create']))
        self.assertEqual([], [tuple(r) for r in pipeline.query('SELECT * FROM potok_reject')])

    def test_what_was_not_recorded_is_said(self):
        sandbox = self.portal(deals=30, contacts=3, companies=3, leads=3)
        folder, _ = self.record(sandbox.url, 'rec', '--entities', 'deals')
        url = self.replay(folder).url
        status, answer = ask(url, 'crm.deal.list', {'filter': {'TITLE': 'x'}})
        self.assertEqual((501, 'REPLAY_NOT_RECORDED'), (status, answer['error']))
        self.assertIn('crm.deal.list?filter[TITLE]=x; nearest: crm.deal.list?filter[', answer['error_description'])
        status, answer = ask(url, 'batch', {'cmd': {'a': 'crm.deal.add?fields[TITLE]=x', 'b': 'profile'}})
        self.assertEqual('REPLAY_NOT_RECORDED', answer['result']['result_error']['a']['error'])
        self.assertEqual('1', answer['result']['result']['b']['ID'])
        status, answer = ask(url, 'crm.deal.get', {'id': 999999})
        self.assertEqual((400, {'error': '', 'error_description': 'Not found'}), (status, answer))
        status, answer = ask(re.sub('/rest/1/[^/]*/', '/rest/1/another/', url), 'crm.deal.list', {})
        self.assertEqual((401, 'INVALID_CREDENTIALS'), (status, answer['error']))

    def test_lists_and_batches_by_id_are_answered_from_the_records(self):
        sandbox = self.portal(deals=130, contacts=3, companies=3, leads=3)
        folder, _ = self.record(sandbox.url, 'rec')
        url = self.replay(folder).url
        truth = sorted(sandbox.truth('deals'))
        for params in ({'order': {'ID': 'DESC'}, 'select': ['ID'], 'filter': {'<ID': truth[70]}, 'start': 10},
                       {'filter': {'@ID': truth[3:9]}, 'order': {'ID': 'ASC'}, 'select': ['ID', 'STAGE_ID'], 'start': -1},
                       {'filter': {'>ID': truth[5], '!ID': truth[6]}, 'order': {'ID': 'ASC'}, 'select': ['ID']}):
            a, b = (ask(u, 'crm.deal.list', params)[1] for u in (sandbox.url, url))
            a.pop('time'), b.pop('time')
            self.assertEqual(a, b)
        chain = {'halt': 1, 'cmd': {
            'a': 'crm.deal.list?order[ID]=ASC&select[]=ID&start=-1',
            'b': 'crm.deal.list?order[ID]=ASC&select[]=ID&start=-1&filter[>ID]=$result[a][49][ID]',
            'c': 'crm.contact.get?id=$result[b][0][ID]', 'd': 'profile'}}
        a, b = (ask(u, 'batch', chain)[1]['result'] for u in (sandbox.url, url))
        for part in a:
            if part != 'result_time':
                self.assertEqual(a[part], b[part])

    def test_a_folder_with_something_in_it_is_left_alone(self):
        sandbox = self.portal(deals=3, contacts=3, companies=3, leads=3)
        folder = os.path.join(self.folder, 'full')
        os.mkdir(folder)
        with open(os.path.join(folder, 'mine'), 'w') as f:
            f.write('x')
        _, done = self.record(sandbox.url, 'full', code=2)
        self.assertIn('not empty', done.stderr)
        self.assertEqual(['mine'], os.listdir(folder))

    def test_a_webhook_that_is_not_taken_ends_it_at_once(self):
        sandbox = self.portal(deals=3, contacts=3, companies=3, leads=3)
        url = sandbox.url.replace(sandbox.url.split('/')[5], 'wrongwrongwrong1')
        _, done = self.record(url, 'rec', code=1)
        self.assertIn('INVALID_CREDENTIALS', done.stderr)
        self.assertNotIn('wrongwrong', done.stderr + done.stdout)
        self.assertEqual(1, sandbox.stats()['requests'])
        self.assertFalse(os.path.exists(os.path.join(self.folder, 'rec')), 'nothing is left to be in the way')
        started = subprocess.run([BIN + '/potok-sandbox', '--replay', os.path.join(self.folder, 'rec')],
                                 capture_output=True, text=True)
        self.assertEqual(2, started.returncode)
        self.assertIn('not finished', started.stderr)

    def test_the_limit_is_waited_for_and_the_rest_is_told(self):
        sandbox = self.portal(deals=30, contacts=3, companies=3, leads=3)
        sandbox.fault('limit503', 1, method='scope')
        sandbox.fault('html502', 1, method='methods')
        folder, done = self.record(sandbox.url, 'rec', '--json', '--entities', 'deals', '--records', '50')
        told = json.loads(done.stdout)
        self.assertEqual(told['requests'], told['exchanges'] + 1)
        by_row = {about['row']: (about, body) for about, body in exchanges(folder)}
        self.assertEqual(200, by_row['scope'][0]['status'])
        self.assertEqual(502, by_row['methods'][0]['status'])
        self.assertIn(b'<html', by_row['methods'][1])
        self.assertEqual({'records': 30, 'whole': True, 'total': 30}, told['entities']['deals'])

    def test_the_page_of_the_format_lists_every_question(self):
        plan = self.pipeline(None).potok('record', '--plan', '--json')
        rows = [json.loads(line) for line in plan.stdout.splitlines()]
        page = os.path.join(os.path.dirname(__file__), '..', '..', 'services', 'sandbox', 'recording.md')
        with open(page) as f:
            table = re.findall(r'^\| `([a-z0-9-]+)` \| (.*?) \| (.*?) \| (.*?) \|$', f.read(), re.M)
        self.assertEqual([(r['row'], r['facts'], r['why']) for r in rows], [(t[0], t[2], t[3]) for t in table])


if __name__ == '__main__':
    unittest.main()
