"""The judge: a mirror table against the sandbox's truth, row by row and value by value.

It knows SQLite, PostgreSQL and the kinds of columns, nothing of Potok's own code, and is exact: decimals are compared as
decimals, text as text, JSON as JSON. A difference is (entity, id, column, in the table, in truth).
"""
import contextlib
import decimal
import json

MISSING, EXTRA = '(no row)', '(not at the portal)'
SYSTEM = 'id', '_hi', '_hash', '_fetched_at', '_deleted_at', '_written_at'


def no_float(token):
    return decimal.Decimal(token)


def canonical(kind, value):
    """What the column holds, in the truth's form; a value of the wrong storage class stays as it is and differs."""
    if value is None:
        return None
    if kind == 'decimal':
        return decimal.Decimal(repr(value) if isinstance(value, float) else str(value))
    if kind == 'bool':
        return {0: False, 1: True}.get(value, value)
    if kind == 'json':
        return json.loads(value, parse_float=no_float)
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
    return json.loads(value, parse_float=no_float)


def rows_of(pipeline, entity, kinds):
    """Names of the columns and a list of live rows as {column: value in the truth's form}."""
    if pipeline.postgres:
        server, database = pipeline.postgres
        names = [r['column_name'] for r in server.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'crm_%s'" % entity, database)]
        rows = server.rows('SELECT * FROM crm_%s WHERE _deleted_at IS NULL' % entity, database)
        return names, [dict({n: from_text(kinds.get(n, 'text'), v) for n, v in row.items() if n not in SYSTEM},
                            id=int(row['id'])) for row in rows]
    with contextlib.closing(pipeline.db()) as connection:
        cursor = connection.execute('SELECT * FROM crm_%s WHERE _deleted_at IS NULL' % entity)
        names = [c[0] for c in cursor.description]
        return names, [dict({n: canonical(kinds.get(n, 'text'), row[n]) for n in names if n not in SYSTEM}, id=row['id'])
                       for row in cursor]


def expected(kind, value):
    if value is None:
        return None
    if kind == 'decimal':
        return decimal.Decimal(value)
    if kind == 'json':
        return json.loads(json.dumps(value), parse_float=no_float)
    return value


def same(kind, got, want):
    if kind == 'bool':
        return got is want
    return type(got) is type(want) and got == want


def differences(pipeline, sandbox, entity, most=20):
    truth, kinds = sandbox.truth(entity), sandbox.columns(entity)
    found = []
    names, rows = rows_of(pipeline, entity, kinds)
    found += [(entity, None, c, 'column', 'missing') for c in kinds if c not in names and any(c in v for v in truth.values())]
    seen = set()
    for row in rows:
        seen.add(row['id'])
        want = truth.get(row['id'])
        if want is None:
            found.append((entity, row['id'], None, EXTRA, None))
            continue
        for name in names:
            if name in SYSTEM:
                continue
            kind = kinds.get(name, 'text')
            got, right = row[name], expected(kind, want.get(name))
            if not same(kind, got, right):
                found.append((entity, row['id'], name, got, right))
    found += [(entity, i, None, MISSING, None) for i in truth.keys() - seen]
    return found[:most]


def check(test, pipeline, sandbox, entities):
    for entity in entities:
        found = differences(pipeline, sandbox, entity)
        test.assertEqual([], found, '%s differ from the portal' % entity)
