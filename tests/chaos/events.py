"""A mirror that follows events alone, while services are killed and events go astray."""
from chaos.round import Chaos
from support import truth
from support.harness import wait_for

FAULTS = 'double=15&late=10&late_ms=1500&hold=5&shuffle_ms=700', 'double=50&shuffle_ms=3000', 'late=40&late_ms=4000', ''


class Events(Chaos):
    name, about = 'events', 'no sync: events alone, doubled, late, held and out of order; SIGKILL, SIGSTOP and SIGCONT, the gateway too'

    def scenario(self):
        mirror = self.mirror()
        for n, kills in enumerate(self.rounds()):
            mirror.sandbox.post('events/faults?' + FAULTS[n % len(FAULTS)])
            struck = mirror.storm(kills, per_second=100, longest_stop=self.random.choice((0.3, 1.5, 6)))
            self.verdict(struck, mirror.check(120))


class Lag(Chaos):
    name, about = 'lag', 'the portal shows changes half a second after their events; each record changes once between two verdicts'

    def scenario(self):
        mirror = self.mirror(relay=False, options=('--lag', '500'))
        for n, kills in enumerate(self.rounds()):
            kind = 'delete', 'create'
            struck = mirror.storm(kills, once=True,
                                  meanwhile=lambda: mirror.sandbox.post('change?count=100&kind=' + kind[n % 2]))
            self.verdict(struck, mirror.check(120))


class Lost(Chaos):
    name, about = 'lost', 'events are dropped: what changed is found without a full sync, what was deleted by a sweep of all ids, or with one'

    def scenario(self):
        mirror = self.mirror(SYNC_INCREMENTAL_SECONDS='2')
        for n, kills in enumerate(self.rounds()):
            mirror.sandbox.post('events/faults?drop=20&double=10&shuffle_ms=500')
            struck = mirror.storm(kills, per_second=100)
            wait_for(mirror.delivered, 'the portal has told all its events', 120, 0.1)
            wait_for(lambda: all(d[3] == truth.EXTRA for d in mirror.differences()), 'what changed is found', 120, 0.5)
            extra = len(mirror.differences())
            self.assertEqual([], mirror.watcher.found())
            if n % 2:
                mirror.pipeline.sync()
            else:
                wait_for(lambda: mirror.pipeline.potok('sync', '--deletions').returncode == 0, 'a sweep is ordered', 20, 0.5)
            wait_for(lambda: not mirror.differences(), 'the deleted are found', 120, 0.5)
            self.verdict(struck, '%s by %s, differences: 0' % (extra, 'a full sync' if n % 2 else 'a sweep'))
