"""One history: two hosts (and others that are mounted by mistake), a clock, and the actions that the events are made of."""
import os
import random

import commits
from files import read
from host import Host
from oracle import Round

BEGIN = 1767225600.0  # 2026-01-01
CHUNK_SIZES = [None, None, 4096, 16384]
BATCH_SIZES = [None, None, 2048, 20000]


class World:
    def __init__(self, directory, program, seed, kinds):
        self.directory = directory
        self.program = program
        self.kinds = kinds
        self.rng = random.Random(seed)
        self.now = BEGIN
        self.ties = 'ties' in kinds
        self.committed = {}
        self.data = {None}
        self.middle_drops = {}
        self.log = []
        self.counts = {}
        self.commit_count = 0
        self.options = {
            key: value for key, value in
            (('chunkBytes', self.rng.choice(CHUNK_SIZES)), ('batchBytes', self.rng.choice(BATCH_SIZES))) if value}
        self.hosts = []
        self.master = self.add_host('a')
        self.slave = self.add_host('b')
        self.source = self.master
        self.master_alive = True
        commits.first_commit(self.master)
        self.master.save_backup()

    def add_host(self, name):
        host = Host(self, name)
        self.hosts.append(host)
        return host

    def tick(self):
        self.now += self.rng.choice([1, 7, 60, 600, 7200]) + self.rng.random()
        return self.now

    def new_commit(self):
        self.commit_count += 1
        return self.commit_count

    def note(self, text):
        self.log.append(text)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def close(self):
        for host in self.hosts:
            host.close()

    def serving(self):
        """Hosts on which somebody may commit."""
        hosts = [self.source] if self.source is not self.master else []
        if self.master_alive:
            hosts.append(self.master)
        if self.slave.promoted:
            hosts.append(self.slave)
        return hosts

    # Actions with the program.

    def sync(self, full=False, scrub=None):
        slave, source = self.slave, self.source
        if slave.storage is not None and self.rng.random() < 0.1:
            return self.sync_while_served(full)
        slave.close()
        round_ = Round(slave, source, full)
        held = round_.before.committed()
        options = dict(self.options, full=full, statusFile=os.path.join(self.directory, 'sync.status'))
        if scrub:
            options['scrub'] = scrub
        round_.end(self.program.sync(source.directory, slave.directory, **options))
        answer = round_.answer
        self.note(f"sync {slave.name} <- {source.name}{' --full' if full else ''}: {answer['exitCode']} {answer['action']} "
                  f"({answer['reason'][:90]})")
        self.count(f"{'full' if full else 'sync'} {answer['exitCode']} {answer['action']}")
        round_.source_untouched()
        if slave.promoted:
            if round_.unchanged(['Data.fs']):
                round_.fail('a promoted slave was written', '')
            return answer
        # While a refusal stands, what a pack would have dropped as well is still the slave's own.
        decided = source.lineage if slave.refused else source.lineage | source.pardoned
        round_.nothing_lost(decided)
        round_.no_rot_copied()
        self.judge(round_, held)
        return answer

    def judge(self, round_, held):
        """Exit status, and what the slave holds now."""
        slave, source, answer, full = round_.slave, round_.source, round_.answer, round_.full
        code = answer['exitCode']
        superseded = source.term < slave.term
        innocent = (held <= source.lineage and not source.rotten and not slave.rotten and not superseded
                    and not round_.source_before.error and source.exists())
        kept = round_.after.kept() - round_.before.kept()
        if code == 3:
            round_.refusal_changes_nothing()
        if innocent and not full and code != 0:
            round_.fail('an innocent was not synced', '', f"{', '.join(sorted(source.tags | slave.tags)) or 'nothing'}; {round_.what}")
        if full and code not in (0, 4) and not superseded:
            round_.fail('--full failed', '')
        if full and code == 4 and not (source.rotten or source.contents().error):
            round_.fail('--full failed', '')
        if not full and code == 0 and slave.refused and not held <= source.lineage:
            round_.fail('a refusal was lifted', f'{sorted(held - source.lineage)}',
                        f"{', '.join(sorted(source.tags))}; {round_.what}")
        if kept:
            what = 'innocent' if innocent else 'other'
            self.count(f"kept ({what}{', --full' if full else ''}): {', '.join(sorted(source.tags | slave.tags)) or 'nothing'}")
        if code == 4:
            slave.damage_reported = True
        if code == 3:
            slave.refused = True
        if code != 0:
            if round_.unchanged(['Data.fs']) if 'Data.fs' in round_.before.bytes else True:
                slave.lineage |= source.lineage & round_.after.committed()
            return
        if not source.rotten:
            round_.equals_source()
            slave.rotten = False
        round_.serves()
        slave.adopt(source)
        slave.term = max(slave.term, source.term)
        slave.refused = False
        slave.damage_reported = source.rotten and slave.damage_reported
        slave.tags = set()
        source.tags = set()
        self.save_dat(slave)

    def save_dat(self, slave):
        path = slave.path + '.dat'
        if os.path.exists(path):
            slave.dats = (getattr(slave, 'dats', []) + [read(path)])[-5:]

    def sync_while_served(self, full):
        round_ = Round(self.slave, self.source, full)
        options = dict(self.options, full=full, statusFile=os.path.join(self.directory, 'sync.status'))
        round_.end(self.program.sync(self.source.directory, self.slave.directory, **options))
        self.note(f"sync while ZODB serves the slave: {round_.answer['exitCode']}")
        if round_.answer['exitCode'] not in (0, 5) or round_.unchanged(['Data.fs']):
            round_.fail('a slave in use was written', '')
        return round_.answer

    def promote(self):
        slave = self.slave
        slave.close()
        round_ = Round(slave, self.source)
        round_.end(self.program.promote(slave.directory, os.path.join(self.directory, 'promote.status')))
        answer = round_.answer
        self.note(f"promote {slave.name}: {answer['exitCode']} {answer['action']}")
        round_.what = f"promote {answer['exitCode']}"
        # What is committed in the slave's file stays, whoever else has it; a broken batch of the source's may go.
        round_.nothing_lost(self.source.lineage - round_.before.committed())
        if answer['exitCode'] == 0:
            slave.promoted = True
            slave.term = max(slave.term, self.source.term) + 1
            slave.lineage = round_.before.committed() | (slave.lineage & self.source.lineage)
            if not slave.rotten:
                round_.serves()
        elif not (answer['exitCode'] == 4 and slave.rotten):
            round_.fail('promote failed', '')
        else:
            slave.promoted = True
        return answer

    def demote(self):
        slave = self.slave
        slave.close()
        round_ = Round(slave, self.source)
        round_.end(self.program.demote(slave.directory))
        self.note(f"demote {slave.name}: {round_.answer['exitCode']}")
        round_.what = 'demote'
        round_.nothing_lost(set())
        if round_.unchanged(['Data.fs']) or round_.answer['exitCode'] != 0:
            round_.fail('demote changed Data.fs', '')
        slave.promoted = False

    def swap(self):
        """The way back: what served goes on as master, the old master is stopped and becomes the slave."""
        self.master.close()
        self.master, self.slave = self.slave, self.master
        self.source = self.master
        self.master_alive = True
