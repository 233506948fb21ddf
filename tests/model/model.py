"""The synchronisation protocol as a small state machine, and a search of everything it can do.

    python3 model.py              every named search: the rules (must hold), each rule left out (must break)
    python3 model.py NAME…        only these; the trace of a violation is printed step by step
    python3 model.py --walk N     N random walks through bigger set-ups under the rules

A portal changes records, webhooks and messages get lost, doubled, late and out of order, attempts become
zombies. A state is one tuple; moves() yields every next state; search() visits all of them, shortest first.
Values are versions 1, 2, … of a record; 0 is "not there yet", GONE "deleted", None "no row".
See README.md for what is modelled and what came out.
"""
import random
import sys
import time
from bisect import bisect_left
from collections import namedtuple
from itertools import chain

GONE = 9
LISTS = 'SIWV'  # full scan, incremental sync, id sweep, verify --heal; 'B' is a batch read by id

# P[r] portal: value, change time, and what reads see of both    E[r] webhooks under way
# M[r] mark: None or (k, need, alone)   R[r] row: value, lo, hi, portal time, highest value ever committed
# A    attempts alive   J[kind] list job: (run, ranges open, smallest d done)   B budgets of what may still go wrong
# tick the counter in the database   old: counter of a deposed scheduler   floor: attempts up to it are refused
# X[r] newest witness that covers the id: (bound, d) or NONE
State = namedtuple('State', 'P E M R A J tick sec off W B old floor X')
NONE = (-1, -1)
Row = namedtuple('Row', 'val lo hi st top')
# mine: the scheduler still waits for it; seqs: the marks it saw; st: portal time taken, not yet used;
# since: change-time filter of an incremental run; start: portal time of its first command
Attempt = namedtuple('Attempt', 'kind d ids seqs st vals mine run since start')

RULES = dict(guard='interval',   # which reading may replace a row: interval | lines | dispatch | time | …
             clear='tick+written',  # tick+written | tick | seq | gseq | gseq+written | always
             number='lease',     # lease: every attempt numbered by the fenced row; local: in memory (epoch, n)
             stamp='batch',      # portal time a reading carries: read | start (of its command) | batch
             gone='ghost',       # ghost: always a row for "not there"; soft: only where a row was; hard: none
             purge='floor',      # floor (_hi <= floor) | blind: when ghosts are removed at last
             floor='awaited',    # the scheduler raises it: to below what it waits for | tick (refuses these too)
             fence=None,         # the end of a run raises it as well: None | first (d of the run) | last
             same='witness',     # an unchanged row: witness (not rewritten, its range is witnessed) | nothing | write
             byid='move',        # same, by id or in a filtered list: move (its _hi) | witness | nothing
                                 # | lines (no _hi: the witness names every id it read)
             equal='any',        # unchanged counts as written: any | newer (only when certainly newer)
             bound='c',          # what a later attempt must exceed: c | d of the witness
             cover='range',      # a witness covers: range (every id) | rows (ids with a row) | shown | same
             bear='SWV',         # which lists of all ids leave one: scan, sweep, verify
             inserts=True,       # it forbids new rows too
             wpurge='c',         # witnesses go when the floor reaches their: c | d
             floored='kept',     # marks of a message refused whole: kept | cleared
             chain='same',       # the next range is written in the transaction of the last: same | memory (crash)
             absent='mark',      # a row a list left out: mark | delete
             accuse='all',       # which rows left out: all | older (row's lo < d)
             doubt='all',        # a refused reading of a list leaves a mark: all | older (row's lo < d only) | none
             skip=False,         # an incremental run does not even fetch what the row seems to have already
             mark='set',         # when a webhook's mark is set: set | lazy (not while the record is in flight)
             watermark='start',  # start (of the run) | max (greatest change time seen)
             look='none',        # a webhook's mark after a reading that may lag: none | nothing (once more when nothing changed)
                                 # | gone (also when the webhook said deleted and the record was there) | always
             overlap=0, jobcheck=True, split=True)
SETUP = dict(recs=1, born=(1,), row=(1,), skew=0, lag=0,
             deep=1,             # changes of a record that reads do not see yet
             final='', poison=None, p1=True, delete=True,
             change=0, drop=0, dup=0, lose=0, zombie=0, copy=0, sec=0, back=0, step=1, floor=0, take=0,
             S=0, I=0, W=0, V=0,
             aba=False,          # versions 1, 3, 5 look the same, so do 2, 4
             ranges=None)        # a list of all ids: None (one job) | cut (a job per id) | chain (each writes the next)
BUDGETS = ('change', 'drop', 'dup', 'lose', 'zombie', 'copy', 'sec', 'back', 'floor', 'take') + tuple(LISTS)


LIMIT = 400000  # states a search looks at before it says "+" and goes on to the next


class Violation(Exception):
    pass


def put(seq, i, x):
    return seq[:i] + (x,) + seq[i + 1:]


def name(a):
    return '%s(d=%d)' % (a.kind, a.d)


def alive(val):
    return val is not None and 0 < val < GONE


def look(val, c):
    """What the row hash sees of a version."""
    return (2 - val % 2 if c['aba'] else val) if alive(val) else None if val is None else GONE


def part(c, kind, p):
    """The ids of a range."""
    return (p,) if c['ranges'] and kind in 'SWV' else tuple(range(c['recs']))


def first_parts(c, kind):
    return tuple(range(c['recs'])) if c['ranges'] == 'cut' and kind in 'SWV' else (0,)


def initial(c):
    born, rows = c['born'] + (0,) * c['recs'], c['row'] + (None,) * c['recs']
    return State(P=tuple((v, 0, v, 0, ()) for v in born[:c['recs']]), E=((0, 0),) * c['recs'], M=(None,) * c['recs'],
                 R=tuple(Row(v, 0, 0, 0, v or 0) for v in rows[:c['recs']]), A=(),
                 J=tuple((0, (), 0) for _ in LISTS), tick=1, sec=0, off=0, W=0,
                 B=tuple(c[b] for b in BUDGETS), old=None, floor=-1, X=(NONE,) * c['recs'])


def compact(s, rules):
    """Of the tick numbers only their order against live attempts matters: renumber; forget what is never used."""
    ticks = rules['guard'] not in ('time', 'none') or rules['clear'].startswith('tick')
    timed = 'time' in rules['guard']
    inseq = rules['clear'] != 'seq'  # marks are numbered by the same counter
    refs = {s.tick} | {a.d for a in s.A} | {x for a in s.A if inseq for x in a.seqs}
    if s.old is not None:
        refs.add(s.old)
    refs = sorted(refs)

    def at(x):
        i = bisect_left(refs, x)
        return 4 * i + (2 if i < len(refs) and refs[i] == x else 0)

    attempts = tuple(sorted(a._replace(d=at(a.d) if ticks else 0, seqs=tuple(map(at, a.seqs)) if inseq else a.seqs)
                            for a in s.A))
    uses_lo = rules['guard'] != 'interval' or 'older' in (rules['doubt'], rules['accuse'])
    rows = tuple(w._replace(lo=at(w.lo) if ticks and uses_lo else 0, hi=at(w.hi) if ticks else 0,
                            st=w.st if timed else 0)
                 for w in s.R)
    marks = tuple(m and ((at(m[0]) if inseq else m[0]),) + m[1:] for m in s.M)
    floor = at(s.floor) if ticks and s.floor >= refs[0] else -1
    early = rules['wpurge'] == 'd'
    witnesses = tuple(NONE if x[early] <= s.floor else (at(x[0]), at(x[1]) if early else 0) for x in s.X)
    jobs = tuple((run, parts, at(d) if d and rules['fence'] else 0) for run, parts, d in s.J)
    return s._replace(A=attempts, R=rows, M=marks, tick=at(s.tick), floor=floor, X=witnesses, J=jobs,
                      old=None if s.old is None else at(s.old))


def spend(s, what):
    i = BUDGETS.index(what)
    return s._replace(B=put(s.B, i, s.B[i] - 1))


def left(s, what):
    return s.B[BUDGETS.index(what)]


def set_mark(s, r, rules, says=0):
    """UPSERT of the mark; k is the counter as it stands (or a sequence number, for the older rules)."""
    old, tick = s.M[r], s.tick
    if rules['clear'].startswith('gseq'):
        k = tick = tick + 1
    elif rules['clear'] == 'seq':
        k = (old[0] if old else 0) + 1  # starts again at 1 once the mark was cleared
    else:
        k = tick
    says = 0 if rules['look'] == 'none' else says | (old[3] if old else 0)
    return s._replace(tick=tick, M=put(s.M, r, (k, s.P[r][2], old[2] if old else 0, says, 0)))


# --- the writer's transaction

def certainly_newer(rules, a, st, row, witness):
    """The guard: what stands in ON CONFLICT … WHERE."""
    if row.val is None or rules['guard'] == 'lines':
        return rules['guard'] not in ('interval', 'lines') or not rules['inserts'] or a.d > witness[0]
    by_time = st >= row.st if a.kind == 'B' else st > row.st
    return {'interval': a.d > max(row.hi, witness[0]), 'dispatch': a.d > row.lo, 'time': by_time, 'none': True,
            'time+dispatch': a.d > row.lo and by_time}[rules['guard']]


def store(s, r, val, st, a, rules, c):
    row = s.R[r]
    if c['p1'] and val < row.top:
        raise Violation('P1: record %d goes back from %s to %s' % (r, row.top, val))
    new = Row(val, a.d, s.tick, st, max(val, row.top))
    if not alive(val) and (rules['gone'] == 'hard' or rules['gone'] == 'soft' and row.val is None):
        new = Row(None, 0, 0, 0, new.top)
    return s._replace(R=put(s.R, r, new))


def clear_mark(s, r, a, i, val, written, changed, rules, lagging):
    m = s.M[r]
    if not m:
        return s
    rule = rules['clear']
    if rule.startswith('tick'):
        ok = m[0] < a.d and (rule == 'tick' or written)
    elif a.kind != 'B':
        ok = False
    else:
        ok = rule == 'always' or m[0] == a.seqs[i] and (rule != 'gseq+written' or written)
    if ok and val < m[1] and not lagging:
        raise Violation('P4: the mark of record %d is cleared by a reading from before it was set' % r)
    if ok and looks_again(m, val, changed, rules):  # set now: no attempt that is under way is its second look
        return s._replace(M=put(s.M, r, (s.tick, s.P[r][2], m[2], m[3] & 2 * (rules['look'] != 'gone-forgets'), s.P[r][0])))
    return s._replace(M=put(s.M, r, None)) if ok else s


def looks_again(m, val, changed, rules):
    said_gone = m[3] & 2 and alive(val)  # kept by the second look: a webhook that comes meanwhile gives it one more
    return m[3] & 1 and {'none': False, 'nothing': not changed, 'gone': not changed or said_gone, 'gone-forgets': not changed or said_gone,
                         'always': True}[rules['look']]


def left_out(s, r, st, a, rules, c):
    if rules['absent'] == 'delete':
        return store(s, r, GONE, st, a, rules, dict(c, p1=False))
    return set_mark(s, r, rules)


def job_done(s, a, rules, c):
    """None: the job is not open any more. Else the range is closed, the next one of a chain opened."""
    j = LISTS.index(a.kind)
    run, parts, first = s.J[j]
    p = a.ids[0] if part(c, a.kind, a.ids[0]) == a.ids else 0
    if run != a.run or p not in parts:
        return None if rules['jobcheck'] else s
    parts = tuple(x for x in parts if x != p)
    if c['ranges'] == 'chain' and a.kind in 'SWV' and p + 1 < c['recs'] and rules['chain'] == 'same':
        parts += (p + 1,)
    first = min(first or a.d, a.d)
    if not parts and rules['fence'] and a.kind in 'SWV':
        s = s._replace(floor=max(s.floor, (first if rules['fence'] == 'first' else a.d) - 1))
    return s._replace(J=put(s.J, j, (run, parts, first if parts else 0)))


def keep_unchanged(s, r, val, a, rules):
    """The row looks as it was read: it is not rewritten. A reading of ids says so in _hi or in a witness."""
    row = s.R[r]
    seen = val if alive(val) and val > row.val else row.val
    moved = Row(seen, a.d, s.tick, row.st, max(row.top, val)) if a.kind in 'BI' and rules['byid'] == 'move' else (
        row._replace(val=seen, top=max(row.top, val)))
    return s._replace(R=put(s.R, r, moved))


def bear_witness(s, shown, a, rules):
    """One line: nothing older than this may write these ids. shown: id -> did its row look the same?"""
    if rules['same'] != 'witness' or a.kind in 'BI' and rules['byid'] not in ('witness', 'lines'):
        return s
    if a.kind in 'SWV' and a.kind not in rules['bear']:
        return s
    cover = rules['cover'] if a.kind in 'SWV' else 'shown' if rules['byid'] == 'lines' else 'same'
    for r in a.ids:
        covered = {'range': True, 'rows': s.R[r].val is not None, 'shown': r in shown, 'same': shown.get(r, False)}
        if covered[cover]:
            s = s._replace(X=put(s.X, r, max(s.X[r], (s.tick if rules['bound'] == 'c' else a.d, a.d))))
    return s


def commit(s, a, rules, c):
    """Rows under the guard, ghosts, witness, marks set and cleared, job completion: one transaction."""
    if a.d <= s.floor:
        for r in a.ids if rules['floored'] == 'cleared' and a.kind == 'B' else ():
            if s.M[r] and s.M[r][0] < a.d:
                s = s._replace(M=put(s.M, r, None))
        return s
    if a.kind != 'B':
        done = job_done(s, a, rules, c)
        if done is None:
            return s
        s = done
    byticks = rules['guard'] != 'time'
    top_time, shown = s.W, {}
    for i, r in enumerate(a.ids):
        val, st, mod = a.vals[i]
        row = s.R[r]
        if a.kind in 'WV':
            if alive(row.val) and not alive(val):
                s = left_out(s, r, st, a, rules, c)
            elif alive(val) and (look(row.val, c) != look(val, c) if a.kind == 'V' else not alive(row.val)):
                s = set_mark(s, r, rules)
            continue
        listed = alive(val) if a.kind == 'S' else mod is not None
        written = False
        if a.kind == 'B' or listed:
            written = newer = certainly_newer(rules, a, st, row, s.X[r])
            unchanged = row.val is not None and look(row.val, c) == look(val, c) and rules['same'] != 'write'
            if unchanged and (newer or rules['equal'] == 'any'):
                s, written = keep_unchanged(s, r, val, a, rules), True
            elif newer:
                s = store(s, r, val, st, a, rules, c)
            shown[r] = written and unchanged
            s = clear_mark(s, r, a, i, val, written, not unchanged and (alive(val) or alive(row.val)), rules, c['lag'])
        if a.kind == 'I' and listed:
            top_time = max(top_time, mod)
        if a.kind == 'S' and not listed and alive(row.val) and (
                row.lo < a.d or rules['accuse'] == 'all' or not byticks):
            s = left_out(s, r, st, a, rules, c)
        doubtful = {'all': True, 'older': s.R[r].lo < a.d, 'none': False}[rules['doubt']]
        if a.kind in 'SI' and listed and not written and doubtful and byticks:
            s = set_mark(s, r, rules)
    s = bear_witness(s, shown, a, rules)
    if a.kind == 'I':
        s = s._replace(W=top_time if rules['watermark'] == 'max' else a.start)
    return s


# --- everything that can happen next

def clocks(s, c):
    """Portal time as the front-end that serves this call shows it."""
    return {s.sec + s.off, s.sec + s.off - c['skew']}


def portal_moves(s, c):
    if left(s, 'change'):
        for r, (val, mod, vis, vmod, hidden) in enumerate(s.P):
            if val == GONE or len(hidden) >= c['deep']:
                continue
            for new in (val + 1,) + (GONE,) * c['delete'] if val else (1,):
                for t in clocks(s, c):
                    seen = (vis, vmod, hidden + ((new, t),)) if c['lag'] else (new, t, ())
                    n = s.E[r]
                    n = (n[0] + (new != GONE), n[1] + (new == GONE))
                    yield ('portal: record %d becomes %s at %d' % (r, 'deleted' if new == GONE else new, t), True,
                           spend(s, 'change')._replace(P=put(s.P, r, (new, t) + seen), E=put(s.E, r, n)))
    for r, (val, mod, vis, vmod, hidden) in enumerate(s.P):
        if hidden:
            yield 'portal: reads now see %s of record %d' % (hidden[0][0], r), False, s._replace(
                P=put(s.P, r, (val, mod) + hidden[0] + (hidden[1:],)))
    hidden = [p[4][0][1] for p in s.P if p[4]]
    if left(s, 'sec') and all(s.sec + s.off + 1 - mod <= c['lag'] for mod in hidden):
        yield 'a second passes', True, spend(s, 'sec')._replace(sec=s.sec + 1)
    if left(s, 'back'):
        yield 'the portal clock steps back', True, spend(s, 'back')._replace(off=s.off - c['step'])


def webhook_moves(s, rules):
    for r, kind in ((r, kind) for r, n in enumerate(s.E) for kind in (0, 1) if n[kind]):
        says = 'deleted' if kind else 'changed'
        gone = s._replace(E=put(s.E, r, put(s.E[r], kind, s.E[r][kind] - 1)))
        if left(s, 'drop'):
            yield 'webhook "%s" for %d is lost' % (says, r), True, spend(gone, 'drop')
        busy = rules['mark'] == 'lazy' and any(a.mine and r in a.ids for a in s.A)
        yield 'webhook "%s" for %d: mark set' % (says, r), False, gone if busy else set_mark(gone, r, rules, 1 + 2 * kind)
        if left(s, 'dup'):
            yield 'webhook "%s" for %d: mark set, comes again later' % (says, r), True, spend(
                set_mark(s, r, rules, 1 + 2 * kind), 'dup')


def scheduler_moves(s, rules, c):
    def attempt(s, kind, ids, run=0, deposed=False):
        s = s._replace(old=s.old + 1) if deposed else s._replace(tick=s.tick + 1)
        seqs = tuple(s.M[r][0] for r in ids) if kind == 'B' and 'seq' in rules['clear'] else ()
        a = Attempt(kind, s.old if deposed else s.tick, ids, seqs, -9, (), not deposed, run,
                    s.W - rules['overlap'] if kind == 'I' else 0, -9)
        return s._replace(A=s.A + (a,))

    busy = {r for a in s.A if a.mine and a.kind == 'B' for r in a.ids}
    due = [r for r, m in enumerate(s.M) if m and r not in busy and m[2] < 2 and s.P[r][2] >= m[4]]
    together = tuple(r for r in due if not s.M[r][2])
    groups = ([together] if together else []) + [(r,) for r in due if s.M[r][2]]
    for ids in groups:
        yield 'dispatch: read %s by id' % (ids,), False, attempt(s, 'B', ids)
    for j, kind in enumerate(LISTS):
        run, parts, first = s.J[j]
        for p in parts:
            ids = part(c, kind, p)
            if not any(a.mine and a.kind == kind and a.ids == ids for a in s.A):
                yield 'dispatch: %s %s' % (kind, ids), False, attempt(s, kind, ids, run)
        if not parts and left(s, kind):
            yield 'run %s begins' % kind, True, spend(s, kind)._replace(
                J=put(s.J, j, (run + 1, first_parts(c, kind), 0)))
        if not parts and kind in c['final'] and run < 90 and all(not p[4] for p in s.P):
            quiet = s._replace(J=put(s.J, j, (99, first_parts(c, kind), 0)), B=put(s.B, BUDGETS.index('change'), 0))
            yield 'the last run of %s begins, the portal is at rest' % kind, False, quiet
    for i, a in enumerate(s.A):
        if a.mine and left(s, 'zombie'):
            yield 'scheduler gives up on %s' % name(a), True, spend(s, 'zombie')._replace(
                A=put(s.A, i, a._replace(mine=False)))
    if left(s, 'take') and rules['number'] == 'local':
        yield 'a standby takes over', True, spend(s, 'take')._replace(
            old=s.tick, tick=s.tick + 4, A=tuple(a._replace(mine=False) for a in s.A))
    if s.old is not None:
        for r in due:
            if left(s, 'zombie') and not busy:
                yield 'the OLD scheduler dispatches: read (%d,) by id' % r, True, spend(
                    attempt(s, 'B', (r,), deposed=True), 'zombie')
    if left(s, 'floor'):
        blind = rules['purge'] == 'blind'
        low = min([a.d for a in s.A if a.mine and rules['floor'] == 'awaited'] + [s.tick + 1]) - 1
        rows = tuple(Row(None, 0, 0, 0, w.top) if w.val in (0, GONE) and (blind or w.hi <= low) else w for w in s.R)
        if low > s.floor:  # compact() drops the witnesses
            yield 'the floor rises below %d' % (low + 1), True, spend(s, 'floor')._replace(
                R=rows, floor=s.floor if blind else low)


def attempt_moves(s, rules, c):
    for i, a in enumerate(s.A):
        rest = s.A[:i] + s.A[i + 1:]
        if left(s, 'lose'):
            yield '%s is lost' % name(a), True, spend(s._replace(A=rest), 'lose')
        if left(s, 'copy') and not a.vals:
            yield '%s is doubled' % name(a), True, spend(s._replace(A=s.A + (a._replace(mine=False),)), 'copy')
        if len(a.vals) < len(a.ids):
            timed = 'time' in rules['guard'] or a.kind == 'I'
            if rules['stamp'] != 'read' and a.st == -9 and timed:
                for t in clocks(s, c):
                    start = t if a.start == -9 and a.kind == 'I' else a.start
                    yield '%s: its command starts at %d' % (name(a), t), False, s._replace(
                        A=rest + (a._replace(st=t, start=start),))
                continue
            r = a.ids[len(a.vals)]
            vis, vmod = s.P[r][2:4]
            for t in (0,) if not timed else clocks(s, c) if rules['stamp'] == 'read' else (a.st,):
                mod = vmod if alive(vis) and vmod >= a.since else None
                if rules['skip'] and mod is not None and look(s.R[r].val, c) == look(vis, c):
                    mod = None
                keep = a.st if rules['stamp'] == 'batch' else -9
                mod = mod if a.kind == 'I' else None
                start = t if a.start == -9 and a.kind == 'I' else a.start
                b = a._replace(vals=a.vals + ((vis, t, mod),), st=keep, start=start)
                yield '%s reads %s of record %d at %d' % (name(a), vis, r, t), False, s._replace(A=rest + (b,))
        elif c['poison'] in a.ids and a.kind == 'B':
            after = s._replace(A=rest)
            for r in a.ids if rules['split'] else ():
                if s.M[r]:
                    k, need, alone, says, ripe = s.M[r]
                    after = after._replace(M=put(after.M, r, (k, need, 2 if len(a.ids) == 1 else 1, says, ripe)))
            yield '%s fails for good' % name(a), False, after
        else:
            yield '%s commits' % name(a), False, commit(s._replace(A=rest), a, rules, c)
            if left(s, 'copy'):
                stays = s._replace(A=rest + (a._replace(mine=False),))
                yield '%s commits, its double is under way' % name(a), True, spend(commit(stays, a, rules, c), 'copy')


def moves(s, rules, c):
    every = chain(portal_moves(s, c), webhook_moves(s, rules), scheduler_moves(s, rules, c), attempt_moves(s, rules, c))
    return ((label, fault, compact(t, rules)) for label, fault, t in every)


def differences(s, c):
    for r, (p, row) in enumerate(zip(s.P, s.R)):
        if r != c['poison'] and (look(row.val, c) or GONE) != look(p[0], c):
            yield 'P2: at rest, record %d is %s in the portal and %s in the database' % (r, p[0], row.val)


# --- search

def trace(parent, n):
    steps = []
    while parent[n] is not None:
        n, label = parent[n]
        steps.append(label)
    return steps[::-1]


def search(rules, c, limit):
    """Breadth first over all states. Returns (violation or None, trace, states, whether all were seen)."""
    todo, parent, work = [compact(initial(c), rules)], [None], []
    index = {todo[0]: 0}
    for n, s in enumerate(todo):
        if n >= limit:
            return None, [], n, False
        todo[n] = None
        system, quiet = [], True
        try:
            nexts = list(moves(s, rules, c))
        except Violation as v:
            return str(v), trace(parent, n) + ['… commits'], len(index), True
        for label, fault, t in nexts:
            if t not in index:
                index[t] = len(parent)
                parent.append((n, label))
                todo.append(t)
            if not fault:
                quiet = False
                system.append(index[t])
        work.append(system)
        if quiet:
            for d in differences(s, c):
                return d, trace(parent, n), len(index), True
    stuck = endless(work)
    if stuck is not None:
        return 'P2/P6: it need not come to rest without further faults', trace(parent, stuck), len(index), True
    return None, [], len(index), True


def endless(work):
    """A state on a cycle of the system's own steps, if any (Kahn): with none, every schedule comes to rest."""
    incoming = [0] * len(work)
    for nexts in work:
        for t in nexts:
            incoming[t] += 1
    ready = [n for n, k in enumerate(incoming) if not k]
    for n in ready:
        for t in work[n]:
            incoming[t] -= 1
            if not incoming[t]:
                ready.append(t)
    return None if len(ready) == len(work) else min(n for n, k in enumerate(incoming) if k)


def walk(rules, c, rng):
    s, steps, faults, slow = compact(initial(c), rules), [], True, rng.random() < 0.5
    for n in range(4000):
        try:
            options = [m for m in moves(s, rules, c) if faults or not m[1]]
        except Violation as v:
            return str(v), steps + ['… commits']
        if not options and not faults:
            return next(differences(s, c), None), steps
        faults = faults and n < 300 and bool(options)
        if not options:
            continue
        if slow and rng.random() < 0.95:  # readings by id are overtaken by lists
            options = [m for m in options if m[0][0] != 'B' or 'commits' not in m[0]] or options
        own = [m for m in options if not m[1]]
        label, fault, s = rng.choice(own if own and rng.random() < 0.6 else options)
        steps.append(label)
    return 'no rest after %d steps' % n, steps


# The design as it was written, and the searches: name -> (rules left out or changed, set-up, must it hold?)
DESIGN = dict(guard='time', clear='gseq', stamp='read', gone='soft', same='write', doubt='none', watermark='max')
BY_DISPATCH = dict(guard='dispatch', clear='tick', same='write', fence='first')
REWRITE = dict(same='write', fence='first')  # every row read is rewritten, the end of a run raises the floor
TWO = dict(recs=2, born=(1, 1), row=(1, 1))
NEW = dict(born=(0,), row=())
LINES = dict(guard='lines', byid='lines', gone='hard')
ABA = dict(aba=True, change=2, drop=2)
SEARCHES = {
    'webhooks': ({}, dict(change=2, dup=1, zombie=2, copy=1, lose=1), True),
    'webhooks-two': ({}, dict(TWO, change=2, zombie=1, copy=1, lose=1), True),
    'created': ({}, dict(NEW, change=3, zombie=1, dup=1), True),
    'full-scan': ({}, dict(row=(), change=2, drop=1, zombie=1, S=1, final='S'), True),
    'full-scan-two': ({}, dict(TWO, row=(1,), change=2, drop=1, zombie=1, final='S'), True),
    'full-scan-copies': ({}, dict(row=(), change=2, drop=1, zombie=1, copy=1, final='S'), True),
    'incremental-sweep': ({}, dict(change=2, drop=2, sec=1, zombie=1, final='IW'), True),
    'created-sweep': ({}, dict(NEW, change=2, drop=2, W=1, final='IW'), True),
    'verify': ({}, dict(row=(1,), change=2, drop=2, V=1, zombie=1, final='V'), True),
    'purge': ({}, dict(change=2, S=1, floor=1, zombie=1), True),
    'front-ends-run': (dict(overlap=1), dict(change=1, drop=1, skew=1, sec=1, I=1, final='I', delete=False), True),
    'clock-back-run': (dict(overlap=1), dict(change=1, drop=1, back=1, sec=2, I=1, final='I', delete=False), True),
    'lag-overlap': (dict(overlap=1), dict(change=1, lag=1, sec=2, I=1, final='I', delete=False), True),
    'skip-same': (dict(skip=True), dict(change=2, drop=1, zombie=1, final='I', delete=False), True),
    'poison': ({}, dict(TWO, change=2, poison=1, dup=1), True),
    'dispatch-heals': (BY_DISPATCH, dict(change=2, zombie=1, copy=1, S=1, p1=False), True),
    'design-plain': (DESIGN, dict(change=2, dup=1, sec=2, lose=1), True),
    'design-tie': (DESIGN, dict(change=2, zombie=1, p1=False), False),
    'design-clock-back': (DESIGN, dict(change=2, back=1, p1=False), False),
    'design-back-kept': (dict(DESIGN, clear='gseq+written'), dict(change=2, back=1, p1=False), False),
    'design-front-ends': (DESIGN, dict(change=2, skew=1, p1=False), False),
    'design-front-ends-verify': (DESIGN, dict(change=2, skew=1, p1=False, final='V'), False),
    'design-batch-time': (dict(DESIGN, stamp='batch'), dict(change=2, sec=1, zombie=1), False),
    'design-tie-scan': (DESIGN, dict(change=2, drop=1, final='S', delete=False, p1=False), False),
    'design-absent': (DESIGN, dict(NEW, change=2, S=1, p1=False), False),
    'two-guards': (dict(DESIGN, guard='time+dispatch', clear='tick'), dict(change=2, back=1, p1=False), False),
    'seq-starts-again': (dict(clear='seq'), dict(change=2, zombie=1), False),
    'clear-always': (dict(clear='always'), dict(change=2), False),
    'clear-refused': (dict(clear='tick'), dict(change=2, zombie=1), False),
    'mark-lazy': (dict(mark='lazy'), dict(change=2), False),
    'local-numbers': (dict(BY_DISPATCH, clear='gseq', number='local', fence=None),
                      dict(change=2, take=1, zombie=1, p1=False), False),
    'dispatch-goes-back': (BY_DISPATCH, dict(change=2, zombie=1), False),
    'dispatch-skip': (dict(BY_DISPATCH, skip=True),
                      dict(change=2, drop=1, zombie=1, p1=False, final='I', delete=False), False),
    'no-doubt': (dict(doubt='none'), dict(change=2, drop=1, final='S', delete=False), False),
    'doubt-older': (dict(doubt='older', overlap=1), dict(change=1, lag=1, sec=2, I=1, final='I', delete=False), False),
    'no-ghost-unknown': (dict(gone='soft'), dict(NEW, change=2, S=1), False),
    'no-ghost-hard': (dict(gone='hard'), dict(change=1, S=1), False),
    'purge-blind': (dict(purge='blind'), dict(change=1, S=1, floor=1), False),
    'no-fence': (dict(same='write'), dict(row=(), change=2, drop=1, final='S'), False),
    'sweep-deletes': (dict(absent='delete'), dict(NEW, change=1, W=1), False),
    'watermark-max': (dict(watermark='max'), dict(TWO, change=2, drop=1, sec=1, I=1, final='I', delete=False), False),
    'no-overlap-lag': ({}, dict(change=1, lag=1, sec=1, I=1, final='I', delete=False), False),
    'no-overlap-back': ({}, dict(change=1, drop=1, back=1, final='I', delete=False), False),
    'lag-webhooks-only': ({}, dict(change=1, lag=1), False),
    # (C) a second look, two seconds later, when reads lag behind the webhook
    'look': (dict(look='nothing'), dict(change=1, lag=1, zombie=1, dup=1), True),
    'look-nothing': (dict(look='nothing'), dict(change=2, lag=1, deep=2), False),
    'look-nothing-gone': (dict(look='nothing', overlap=1), dict(change=2, lag=1, deep=2, final='I'), False),
    'look-gone': (dict(look='gone', overlap=1), dict(change=2, lag=1, deep=2, zombie=1, final='I'), True),
    'look-gone-dup': (dict(look='gone', overlap=1), dict(change=2, lag=1, deep=2, dup=1, copy=1, final='I'), True),
    'look-gone-forgets': (dict(look='gone-forgets', overlap=1), dict(change=2, lag=1, deep=2, final='I'), False),
    'look-gone-created': (dict(look='gone', overlap=1), dict(NEW, change=3, lag=1, deep=3, final='I'), True),
    'look-gone-alone': (dict(look='gone'), dict(change=2, lag=1, deep=2), False),
    'look-always': (dict(look='always'), dict(change=2, lag=1, deep=2, zombie=1, dup=1), True),
    'look-always-two': (dict(look='always'), dict(TWO, change=2, lag=1, deep=2), True),
    'no-split': (dict(split=False), dict(TWO, change=2, poison=1), False),
    # (A) unchanged rows
    'aba-scan': ({}, dict(ABA, zombie=1, S=1, final='S'), True),
    'aba-copies': ({}, dict(ABA, zombie=1, copy=1, final='S'), True),
    'aba-three': ({}, dict(ABA, change=3, zombie=1, final='S', delete=False), True),
    'aba-two': ({}, dict(TWO, aba=True, change=2, drop=2, zombie=1, final='S', delete=False), True),
    'aba-floor': ({}, dict(ABA, zombie=1, floor=2, final='S'), True),
    'aba-floor-row-lost': ({}, dict(ABA, row=(), zombie=1, floor=1, S=1, final='S'), True),
    'aba-incremental': ({}, dict(ABA, sec=1, zombie=1, final='IW'), True),
    'aba-verify': ({}, dict(ABA, zombie=1, V=1, final='V'), True),
    'aba-created': ({}, dict(NEW, aba=True, change=3, drop=3, zombie=1, final='S'), True),
    'aba-created-floor': ({}, dict(NEW, aba=True, change=3, drop=3, zombie=1, floor=1, final='S'), True),
    'witness-by-id': (dict(byid='witness'), dict(ABA, zombie=1, S=1, floor=1, final='S'), True),
    'witness-by-id-inc': (dict(byid='witness'), dict(ABA, zombie=1, floor=1, final='IW'), True),
    'lines': (LINES, dict(ABA, zombie=1, floor=1, S=1, final='S'), True),
    'lines-incremental': (LINES, dict(ABA, zombie=1, floor=1, final='IW'), True),
    'lines-created': (LINES, dict(NEW, aba=True, change=3, drop=3, zombie=1, floor=1, final='S'), True),
    'lines-soft': (dict(LINES, gone='soft'), dict(NEW, aba=True, change=3, drop=3, zombie=1, floor=1, final='S'), True),
    'lines-two': (LINES, dict(TWO, change=2, zombie=1, copy=1, floor=1), True),
    'equal-newer': (dict(equal='newer'), dict(ABA, zombie=1, floor=1, final='S'), True),
    'floor-too-high': (dict(floor='tick'), dict(ABA, zombie=1, floor=2, final='S'), True),
    'accuse-older': (dict(accuse='older'), dict(ABA, zombie=1, floor=1, final='S'), True),
    'rewrite-full-scan': (REWRITE, dict(row=(), change=2, drop=1, zombie=1, S=1, final='S'), True),
    'same-nothing': (dict(same='nothing'), dict(ABA, zombie=1, final='S', delete=False), False),
    'same-by-id-nothing': (dict(byid='nothing'), dict(ABA, zombie=1, final='S', delete=False), False),
    'same-incremental-nothing': (dict(byid='nothing'), dict(ABA, final='I', delete=False), False),
    'bound-d': (dict(bound='d'), dict(ABA, drop=0, S=1, delete=False), False),
    'cover-same': (dict(cover='same'), dict(ABA, row=(), zombie=1, final='S'), False),
    'cover-shown': (dict(cover='shown'), dict(ABA, row=(), zombie=1, final='S'), False),
    'cover-rows': (dict(cover='rows'), dict(ABA, row=(), zombie=1, final='S'), False),
    'inserts-free': (dict(inserts=False), dict(ABA, row=(), zombie=1, final='S'), False),
    'witness-dies-at-d': (dict(wpurge='d'), dict(ABA, drop=0, S=1, floor=1, delete=False), False),
    'sweep-no-witness': (dict(bear='S'), dict(NEW, change=2, drop=2, final='IW'), False),
    'verify-no-witness': (dict(bear='S'), dict(ABA, zombie=1, final='V', delete=False), False),
    'floor-clears': (dict(floored='cleared'), dict(change=2, zombie=1, floor=1), False),
    'skip-same-aba': (dict(skip=True), dict(ABA, zombie=1, final='I', delete=False), False),
    # (B) a run of several ranges
    'ranges-chain': ({}, dict(TWO, ranges='chain', change=1, drop=1, zombie=2, final='S'), True),
    'ranges-chain-aba': ({}, dict(TWO, row=(1,), aba=True, ranges='chain', change=2, drop=2, zombie=1, final='S',
                                  delete=False), True),
    'ranges-chain-copies': ({}, dict(TWO, row=(1,), ranges='chain', change=1, drop=1, zombie=1, copy=1, floor=1,
                                     final='S'), True),
    'ranges-cut': ({}, dict(TWO, ranges='cut', change=1, drop=1, zombie=1, floor=1, final='S'), True),
    'ranges-crash': ({}, dict(TWO, row=(), ranges='chain', change=1, drop=1, zombie=1, lose=1, S=1, final='S'), True),
    'ranges-sweep': ({}, dict(TWO, ranges='chain', change=1, drop=1, zombie=1, final='IW'), True),
    'ranges-rewrite': (REWRITE, dict(TWO, row=(), ranges='chain', change=1, drop=1, zombie=1, final='S'), True),
    'ranges-floor-last': (dict(REWRITE, fence='last'),
                          dict(TWO, row=(), ranges='chain', change=1, drop=1, zombie=1, S=1, final='S'), True),
    'ranges-in-memory': (dict(chain='memory'), dict(TWO, row=(1,), ranges='chain', change=0, final='S'), False),
    'no-job-check': (dict(jobcheck=False), dict(row=(), change=2, zombie=1, copy=1, final='S'), True),
}
BIG = dict(recs=3, born=(1, 1, 0), row=(1,), change=6, drop=3, dup=3, lose=3, zombie=4, copy=3, sec=4, back=1, skew=1,
           floor=3, S=2, I=2, W=2, V=1, lag=1, final='SIW')


BUSY = dict(recs=2, born=(1, 1), row=(1, 1), aba=True, change=8, drop=8, zombie=4, copy=2, floor=2, S=6, W=1, V=2,
            final='S')  # smaller, more list runs: random walks meet the rules of (A) here


def main(args):
    if args[:1] == ['--walk']:
        for n in range(int(args[1])):
            ranges = (None, 'cut', 'chain')[n % 3]
            rules = dict(RULES, overlap=4, **({}, dict(byid='witness'), LINES)[n // 3 % 3])
            c, rng = dict(SETUP, **dict(BUSY if n % 2 else BIG, ranges=ranges)), random.Random(n)
            bad, steps = walk(rules, c, rng)
            if bad:
                return print('walk', n, bad, *steps, sep='\n  ') or 1
        print(args[1], 'walks hold')
        return 0
    wrong = 0
    for key in args or SEARCHES:
        change, setup, must_hold = SEARCHES[key]
        began = time.time()
        bad, steps, count, whole = search(dict(RULES, **change), dict(SETUP, **setup), LIMIT)
        wrong += (bad is None) != must_hold
        print('%-6s %-26s %8d%s states %4.0f s  %s' % ('ok' if (bad is None) == must_hold else 'WRONG', key, count,
              ' ' if whole else '+', time.time() - began, bad or 'holds'), flush=True)
        if bad and (args or must_hold):
            print(*steps, sep='\n         ')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
