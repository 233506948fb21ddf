"""The judge: a mirror table against the sandbox's truth, row by row and value by value.

It knows SQLite and the kinds of columns, nothing of Potok's own code, and is exact: decimals are compared as
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
    with contextlib.closing(pipeline.db()) as connection:
        cursor = connection.execute('SELECT * FROM crm_%s WHERE _deleted_at IS NULL' % entity)
        names = [c[0] for c in cursor.description]
        found += [(entity, None, c, 'column', 'missing') for c in kinds if c not in names and any(c in v for v in truth.values())]
        seen = set()
        for row in cursor:
            seen.add(row['id'])
            want = truth.get(row['id'])
            if want is None:
                found.append((entity, row['id'], None, EXTRA, None))
                continue
            for name in names:
                if name in SYSTEM:
                    continue
                kind = kinds.get(name, 'text')
                got, right = canonical(kind, row[name]), expected(kind, want.get(name))
                if not same(kind, got, right):
                    found.append((entity, row['id'], name, got, right))
        found += [(entity, i, None, MISSING, None) for i in truth.keys() - seen]
    return found[:most]


def check(test, pipeline, sandbox, entities):
    for entity in entities:
        found = differences(pipeline, sandbox, entity)
        test.assertEqual([], found, '%s differ from the portal' % entity)
