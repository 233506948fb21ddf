"""The loop that kills services while a sync runs; used by the short test and by `./dev chaos`. And a scheduler that freezes."""
import contextlib
import fcntl
import os
import signal
import time

from support import truth
from support.harness import ENTITIES, SERVICES, wait_for

# What a kill may say: the supervisor's and the neighbours' lines, never one about data.
WARNINGS = 'service.died', 'job.given_up', 'job.retry', 'bus.peer_lost', 'fetcher.lost'


def kill_during_syncs(test, pipeline, sandbox, kills, services=SERVICES):
    """Kills at random moments of full syncs, `kills` times over; exact at the end."""
    random = test.random
    pipeline.expect(*WARNINGS)
    done = 0
    while done < kills:
        pipeline.potok('sync', '--full')
        while done < kills and running(pipeline):
            time.sleep(random.uniform(0.0, 0.5))
            service = random.choice(services)
            done += pipeline.kill(service)
    wait_for(lambda: pipeline.status() and not running(pipeline), 'the last sync ends', 180)
    truth.check(test, pipeline, sandbox, ENTITIES)
    pipeline.sync()
    truth.check(test, pipeline, sandbox, ENTITIES)


def running(pipeline):
    """True while a run is open or marks wait, and while nobody answers (a killed scheduler)."""
    status = pipeline.status()
    if status is None:
        return True
    runs = status.get('runs', [])
    return any(r['state'] in ('probing', 'open') for r in runs) or status.get('marks', 0) > 0


def freeze_scheduler(pipeline, n=1):
    """Stops it at a moment at which it does not hold the SQLite file: that nobody could take over. Its process id."""
    pid = pipeline.pid('scheduler', n)
    for _ in range(50):
        os.kill(pid, signal.SIGSTOP)
        with open(pipeline.db_path + '.turn', 'r+b') as turn:
            for _ in range(30):
                with contextlib.suppress(OSError):
                    fcntl.lockf(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return pid
                time.sleep(0.01)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.02)
    raise AssertionError('it always holds the database')
