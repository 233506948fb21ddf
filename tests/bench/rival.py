"""A small, fair rival: a Python client that pages by 50 with a kept connection, converts each value by the portal's own
field descriptions, and upserts row by row through SQLAlchemy (async, asyncpg) with a commit per page.

Fair: the statement is built once, so SQLAlchemy's cache and asyncpg's prepared statement serve every row; pages go by
ID with start=-1, so the portal counts nothing; connecting and making the table are not timed.
"""
import asyncio
import datetime
import decimal
import http.client
import json
import time
import urllib.parse

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import create_async_engine

INTEGERS = 'integer', 'user', 'crm_company', 'crm_contact', 'crm_lead', 'crm_quote', 'crm_category', 'crm_entity'


class Portal:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.path, self.connection = parts.path, http.client.HTTPConnection(parts.hostname, parts.port)

    def call(self, method, **parameters):
        self.connection.request('POST', self.path + method + '.json', json.dumps(parameters),
                                {'Content-Type': 'application/json'})
        return json.loads(self.connection.getresponse().read())['result']


def text(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def flag(value):
    return value in (True, 'Y', '1')


# a field's type: the column's, and how a value is read
KINDS = dict({name: (sa.BigInteger, int) for name in INTEGERS},
             double=(sa.Numeric, decimal.Decimal), boolean=(sa.Boolean, flag), char=(sa.Boolean, flag),
             date=(sa.Date, lambda value: datetime.date.fromisoformat(value[:10])),
             datetime=(sa.DateTime(timezone=True), datetime.datetime.fromisoformat))


def kind_of(field):
    return (sa.Text, text) if field['isMultiple'] else KINDS.get(field['type'], (sa.Text, text))


async def copy_all(portal, url, most):
    fields = {name: kind_of(field) for name, field in portal.call('crm.deal.fields').items()}
    columns = [sa.Column(n.lower(), kind, primary_key=n == 'ID', autoincrement=False) for n, (kind, _) in fields.items()]
    deals = sa.Table('rival_deals', sa.MetaData(), *columns)
    statement = insert(deals)
    statement = statement.on_conflict_do_update(
        index_elements=['id'], set_={c.name: statement.excluded[c.name] for c in columns if c.name != 'id'})
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(deals.metadata.drop_all)
        await connection.run_sync(deals.metadata.create_all)
    async with engine.connect() as connection:
        began, rows, last = time.monotonic(), 0, 0
        while rows < most:
            page = portal.call('crm.deal.list', order={'ID': 'ASC'}, filter={'>ID': last}, select=['*', 'UF_*'], start=-1)
            for record in page:
                values = {}
                for name, (_, read) in fields.items():
                    value = record.get(name)
                    values[name.lower()] = None if value is None or value is False or value in ('', []) else read(value)
                await connection.execute(statement, values)
            await connection.commit()
            rows += len(page)
            if len(page) < 50:
                break
            last = page[-1]['ID']
        seconds = time.monotonic() - began
    await engine.dispose()
    return rows, seconds


def copy_deals(webhook, url, most):
    """Copies up to `most` deals; gives (rows, seconds)."""
    return asyncio.run(copy_all(Portal(webhook), url, most))
