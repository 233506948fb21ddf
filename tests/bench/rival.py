"""A small, fair rival: a Python client that pages by 50 with a kept connection, converts the values by the portal's
own field descriptions, and upserts row by row into SQLite (WAL) with a commit per page."""
import http.client
import json
import sqlite3
import time
import urllib.parse


class Portal:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.path, self.connection = parts.path, http.client.HTTPConnection(parts.hostname, parts.port)

    def call(self, method, **parameters):
        self.connection.request('POST', self.path + method + '.json', json.dumps(parameters),
                                {'Content-Type': 'application/json'})
        return json.loads(self.connection.getresponse().read())


def convert(kind, value):
    if value in (None, '') or value is False:
        return None
    if kind in ('integer', 'user', 'crm_company', 'crm_contact', 'crm_lead', 'crm_quote', 'crm_category'):
        return int(value) if not isinstance(value, list) else json.dumps(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return value


def copy_deals(url, path, most):
    """Copies up to `most` deals; gives (rows, seconds)."""
    portal, db = Portal(url), sqlite3.connect(path)
    db.execute('PRAGMA journal_mode = WAL')
    db.execute('PRAGMA synchronous = FULL')
    kinds = {name: field['type'] for name, field in portal.call('crm.deal.fields')['result'].items()}
    names = sorted(kinds)
    columns = ['"%s"' % n.lower() for n in names]
    db.execute('CREATE TABLE deals (%s)' % ', '.join(c + (' INTEGER PRIMARY KEY' if c == '"id"' else '') for c in columns))
    upsert = 'INSERT INTO deals (%s) VALUES (%s) ON CONFLICT (id) DO UPDATE SET %s' % (
        ', '.join(columns), ', '.join('?' * len(columns)), ', '.join('%s = excluded.%s' % (c, c) for c in columns))
    began, rows, last = time.monotonic(), 0, 0
    while rows < most:
        page = portal.call('crm.deal.list', order={'ID': 'ASC'}, filter={'>ID': last}, select=['*', 'UF_*'], start=-1)['result']
        for record in page:
            db.execute(upsert, [convert(kinds[n], record.get(n)) for n in names])
        db.commit()
        rows += len(page)
        if len(page) < 50:
            break
        last = page[-1]['ID']
    return rows, time.monotonic() - began
