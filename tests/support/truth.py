"""The judge: a mirror table against the sandbox's truth, row by row and value by value.

It knows SQLite, PostgreSQL and the kinds of columns, nothing of Potok's own code, and is exact: decimals are compared as
decimals, text as text, JSON as JSON. A difference is (entity, id, column, in the table, in truth).
"""
import contextlib
import decimal
import json

MISSING, EXTRA = '(no row)', '(not at the portal)'
SYSTEM = 'id', '_hi', '_hash', '_fetched_at', '_deleted_at', '_written_at'
WITHOUT_FLOATS = json.JSONDecoder(parse_float=decimal.Decimal)


def canonical(kind, value):
    """What the column holds, in the truth's form; a value of the wrong storage class stays as it is and differs."""
    if value is None:
        return None
    if kind == 'decimal':
        return decimal.Decimal(repr(value) if isinstance(value, float) else str(value))
    if kind == 'bool':
        return {0: False, 1: True}.get(value, value)
    if kind == 'json':
        return WITHOUT_FLOATS.decode(value)
    return value


def from_text(kind, value):
    """What PostgreSQL prints of a column of that kind, in the truth's form."""
    if value is None or kind in ('text', 'date'):
        return value
    if kind == 'int':
        return int(value)
    if kind == 'decimal':
        return decimal.Decimal(value)
    if kind == 'bool':
        return {'t': True, 'f': False}.get(value, value)
    if kind == 'time':
        if value[10] != ' ' or not value.endswith('+00'):
            return 'not UTC: ' + value
        return value[:10] + 'T' + value[11:-3] + 'Z'
    return WITHOUT_FLOATS.decode(value)


def rows_of(pipeline, entity):
    """(names of the columns, live rows as they are stored, how a value of a kind is read, kinds of which it is the truth's form)."""
    live = 'SELECT * FROM crm_%s WHERE _deleted_at IS NULL' % entity
    if pipeline.postgres:
        server, database = pipeline.postgres
        return (*server.table(live, database), from_text, ('text', 'date'))
    with contextlib.closing(pipeline.db()) as connection:
        connection.row_factory = None
        cursor = connection.execute(live)
        return [c[0] for c in cursor.description], cursor.fetchall(), canonical, ('text', 'date', 'int', 'time')


def exact(value):
    """The JSON value with decimals for its floats."""
    if isinstance(value, float):
        return decimal.Decimal(repr(value))
    if isinstance(value, list):
        return [exact(v) for v in value]
    if isinstance(value, dict):
        return {k: exact(v) for k, v in value.items()}
    return value


def expected(kind, value):
    if value is None:
        return None
    if kind == 'decimal':
        return decimal.Decimal(value)
    if kind == 'json':
        return exact(value)
    return value


def same(kind, got, want):
    if kind == 'bool':
        return got is want
    return type(got) is type(want) and got == want


def differences(pipeline, sandbox, entity, most=20):
    truth, kinds = sandbox.truth(entity), sandbox.columns(entity)
    names, rows, read, plain = rows_of(pipeline, entity)
    found = [(entity, None, c, 'column', 'missing') for c in kinds if c not in names and any(c in v for v in truth.values())]
    columns = [(i, name, kinds.get(name, 'text')) for i, name in enumerate(names) if name not in SYSTEM]
    columns = [(i, name, kind, kind in plain) for i, name, kind in columns]
    id_at, seen = names.index('id'), set()
    for row in rows:
        one = int(row[id_at])
        seen.add(one)
        want = truth.get(one)
        if want is None:
            found.append((entity, one, None, EXTRA, None))
            continue
        for i, name, kind, is_plain in columns:     # a million values: most are told to be the same without a call
            stored, told = row[i], want.get(name)
            if stored is None and told is None or is_plain and type(stored) is type(told) and stored == told:
                continue
            got, right = read(kind, stored), expected(kind, told)
            if not same(kind, got, right):
                found.append((entity, one, name, got, right))
    found += [(entity, i, None, MISSING, None) for i in truth.keys() - seen]
    return found[:most]


def check(test, pipeline, sandbox, entities):
    for entity in entities:
        found = differences(pipeline, sandbox, entity)
        test.assertEqual([], found, '%s differ from the portal' % entity)
