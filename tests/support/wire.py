"""The second judge: what a client was given by a portal against the sandbox's truth, value by value.

A value on the wire is read as the fact sheet says for its method (section 6.3), with nothing of Potok's own code. Classic
methods print texts, crm.item.* numbers; both have several forms of nothing.
"""
import datetime
import decimal
import json

NOTHING = None, '', False, []      # any of them, by field, method and record
MULTIFIELDS = 'phone', 'email', 'web', 'im', 'link'
LINKS = 'contact_ids', 'company_ids', 'contact_id'   # whole lists of them are shown by crm.item.* alone: not in truth
ITEM_MULTIFIELD = {'ID': 'id', 'VALUE_TYPE': 'valueType', 'VALUE': 'value', 'TYPE_ID': 'typeId'}


def instant(text):
    at = datetime.datetime.fromisoformat(text)
    return at.astimezone(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def number(value):
    return decimal.Decimal(repr(value) if isinstance(value, float) else str(value))


def same_number(got, want):
    """A client in JavaScript reads JSON's numbers into doubles, and texts as they are."""
    return number(got) == number(want) if isinstance(got, str) else float(got) == float(want)


def same_scalar(kind, got, want):
    if want is None:        # a link to 0 is none; another number has its zero in the truth
        return got in NOTHING or (kind == 'int' and got in ('0', 0))
    if kind == 'int':
        return same_number(got, want)
    if kind == 'bool':
        return {'Y': True, '1': True, 'N': False, '0': False}.get(got, got) == want
    if kind == 'decimal':
        return same_number(got, want)
    if kind == 'date':
        return got[:10] == want
    if kind == 'time':
        return instant(got) == want
    return str(got) == want


def same_file(got, want):
    return got['id'] == want['id'] if isinstance(got, dict) else False


def same_one(got, want, item):
    """An element of a list, or the one value of a column of JSON."""
    if isinstance(want, dict) and 'VALUE' in want:
        wanted = {ITEM_MULTIFIELD[k]: int(v) if k == 'ID' else v for k, v in want.items()} if item else want
        return got == wanted
    if isinstance(want, dict):
        return same_file(got, want)
    if isinstance(want, str) and isinstance(got, str) and got != want:
        return got[:10] == want if len(want) == 10 else instant(got) == want
    return same_number(got, want) if isinstance(want, (int, float)) and not isinstance(got, str) else got == want


def same_json(got, want, item):
    if want is None:
        return got in NOTHING
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(same_one(g, w, item) for g, w in zip(got, want))
    return same_one(got, want, item)


def differences(rows, names, truth, kinds, item=False, most=20):
    """rows: what the client read; names: {name on the wire: UPPER_CASE name}. [(id, name, got, in truth)]; what a row does
    not show is not compared."""
    found, seen = [], set()
    for row in rows:
        row = {names.get(name, name).lower(): value for name, value in row.items()}
        want = truth.get(int(row['id']))
        if int(row['id']) in seen or want is None:
            found.append((row['id'], None, 'again' if want is not None else 'not at the portal', None))
            continue
        seen.add(int(row['id']))
        if item and 'fm' in row:
            row.update({m: [f for f in row['fm'] if f['typeId'] == m.upper()] for m in MULTIFIELDS if m in kinds})
        for name, got in row.items():
            if name + '_currency' in kinds and got:
                got, currency = got.split('|')
                if currency != want.get(name + '_currency'):
                    found.append((row['id'], name, currency, want.get(name + '_currency')))
            if name in kinds and name != 'id' and not (name in LINKS and kinds[name] == 'json'):
                same = same_json(got, want.get(name), item) if kinds[name] == 'json' else \
                    same_scalar(kinds[name], got, want.get(name))
                if not same:
                    found.append((row['id'], name, got, want.get(name)))
    return found[:most]


def text_of(found):
    return json.dumps(found, ensure_ascii=False, default=str, indent=1)[:6000]
