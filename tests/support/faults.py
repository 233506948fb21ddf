"""What may go wrong with an answer, fault by fault (the sandbox's faults.def): what our client does about it, and the scenarios that
play each in the middle of a full load (flow/faults_test.py) and of the traffic of events (flow/faults_events_test.py). A row of
faults.def that is not here fails both."""
import collections

from support.harness import ALL
from support.quirks import rows_of

# PASSES: the call is made again, the mirror is whole by itself. STOPS: the portal is left in peace until the next sync, and the
# status says why. REPAIRED: a letter is lost until the record is read again. PAUSES: as PASSES, but a reading by id knows no better
# than a minute.
PASSES, STOPS, REPAIRED, PAUSES = 'passes', 'stops', 'repaired', 'pauses'
Fault = collections.namedtuple('Fault', 'outcome meets method more word', defaults=('batch', {}, ''))

FAULTS = {
    'html502':      Fault(PASSES, 'again'),
    'html200':      Fault(PASSES, 'again: a page is no answer, whatever its status'),
    'html403':      Fault(PASSES, 'again: a page is a firewall\'s, not the portal\'s word'),
    'html500':      Fault(PASSES, 'again'),
    'html504':      Fault(PASSES, 'again'),
    'truncated':    Fault(PASSES, 'again: half a document is none'),
    'hang':         Fault(PASSES, 'cut at JOB_DEADLINE, then again', more={'ms': 4000}),
    'reset':        Fault(PASSES, 'again'),
    'error200':     Fault(PASSES, 'again: the code decides, not the status'),
    'limit503':     Fault(PASSES, 'after a pause'),
    'limit429':     Fault(PAUSES, 'the method pauses until its oldest minute falls out', 'crm.deal.list'),
    'redirect302':  Fault(PASSES, 'asked there; nobody answers, so it is not believed', more={'to': 'http://127.0.0.1:1'}),
    'scope401':     Fault(STOPS, 'the scope is named', word='scope crm'),
    'auth401':      Fault(STOPS, 'the webhook is named', word='secret or user id'),
    'expired401':   Fault(STOPS, 'a webhook has no other token; an application renews its own (oauth_test.py)', word='expired_token'),
    'general400':   Fault(PASSES, 'again'),
    'unexpected500': Fault(PASSES, 'again'),
    'payment401':   Fault(STOPS, 'the plan is named', word='plan'),
    'tariff403':    Fault(STOPS, 'the plan is named', word='plan'),
    'rights403':    Fault(STOPS, 'the owner\'s rights are named', word='owner the right'),
    'inactive401':  Fault(STOPS, 'the owner is named', word='deactivated'),
    'intranet403':  Fault(STOPS, 'the owner is named', word='employee'),
    'deleted500':   Fault(STOPS, 'the portal is gone', word='deleted or closed'),
    'zero400':      Fault(PASSES, 'asked in smaller pieces'),
    'wide400':      Fault(PASSES, 'asked in smaller pieces'),
    'text400':      Fault(PASSES, 'asked in smaller pieces'),
    'overload':     Fault(PASSES, 'left alone for PORTAL_OVERLOAD_PAUSE, then tried with one call'),
    'badutf8':      Fault(REPAIRED, 'U+FFFD in place of what is no UTF-8: no record is lost for one bad byte'),
    'emptybody':    Fault(PASSES, 'again'),
    'latency':      Fault(PASSES, 'waited for', more={'ms': 700}),
    'command':      Fault(PASSES, 'what was answered is kept, the rest is asked for again', 'crm.deal.list'),
    'after-commit': Fault(PASSES, 'reads change nothing: again'),
    'late':         Fault(PASSES, 'reads change nothing: again'),
}
# One of each kind of answer to a fault: what is played each time; the others with POTOK_TESTS=all.
QUICK = 'html502', 'limit503', 'redirect302', 'scope401', 'auth401', 'zero400', 'overload', 'badutf8', 'limit429', 'command'
# How long a portal's operating minute lasts, and the pipeline that meets them, with what it may say of it.
PORTAL = dict(operating_window=2)
SETTINGS = dict(JOB_DEADLINE='3s', PORTAL_OVERLOAD_PAUSE='1s', DONE_DEADLINE='2s', BITRIX_TARIFF='1000/5000')
SAID = ('portal.blocked_still', 'probe.retry', 'job.retry', 'job.given_up', 'portal.refused', 'portal.unwell',
        'portal.astray', 'portal.blocked', 'answer.nonsense', 'log.repeated')
STOPPED = 'portal.stopped', 'sync.failed'


def complete(test):
    test.assertEqual(rows_of('faults.def', 'FAULT'), [n for n in rows_of('faults.def', 'FAULT') if n in FAULTS],
                     'a fault that is not in the table of support/faults.py')
    test.assertEqual(set(), set(FAULTS) - set(rows_of('faults.def', 'FAULT')), 'no fault of the sandbox')


def of(*outcomes):
    return [name for name, fault in FAULTS.items() if fault.outcome in outcomes and (ALL or name in QUICK)]


def strike(portal, name, times=2, after=0):
    """The next requests but for the first `after` meet it."""
    fault = FAULTS[name]
    if after:
        portal.fault('latency', after, ms=1, method='batch')
    portal.fault(name, times, **dict(fault.more, method=fault.method))
