"""One history: its hosts, its clock, who is master and who slave, and the calls of the program."""
import os
import random
import signal
import subprocess
import time

import commits
from client import COMMAND_LINE
from files import read
from host import Host
from oracle import Round

BEGIN = 1767225600.0  # 2026-01-01
CHUNK_SIZES = [None, None, 4096, 16384]
BATCH_SIZES = [None, None, 2048, 20000]
MOST_DATS = 5


class World:
    """
    The slave follows `source`: the master, unless something else is mounted in its place. `spare` is another standby, which
    sometimes changes places with the slave.
    """

    def __init__(self, directory, program, seed, kinds):
        self.directory = directory
        self.program = program
        self.kinds = kinds
        self.rng = random.Random(seed)
        self.now = BEGIN
        self.ties = 'ties' in kinds
        # {commit: (tid, oids)}, and all data that was ever committed.
        self.committed = {}
        self.data = {None}
        # {commit: (tid, oids)} of the commits that fsrecover dropped.
        self.dropped = {}
        self.commit_count = 0
        self.log = []
        self.counts = {}
        self.options = {
            key: value for key, value in
            (('chunkBytes', self.rng.choice(CHUNK_SIZES)), ('batchBytes', self.rng.choice(BATCH_SIZES))) if value}
        self.hosts = []
        self.master = self.add_host()
        self.slave = self.add_host()
        self.spare = self.add_host() if 'third' in kinds else None
        self.source = self.master
        self.master_alive = True
        commits.first_commit(self.master)
        self.master.save_backup()

    def add_host(self):
        host = Host(self, 'abcdefghijklmnopqrstuvwxyz'[len(self.hosts)] if len(self.hosts) < 26 else f'h{len(self.hosts)}')
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
        """Hosts on which a commit may happen."""
        hosts = [self.source] if self.source is not self.master else []
        if self.master_alive:
            hosts.append(self.master)
        if self.slave.promoted:
            hosts.append(self.slave)
        return hosts

    def status_file(self, name):
        return os.path.join(self.directory, name)

    def sync(self, full=False):
        slave, source = self.slave, self.source
        served = slave.storage is not None and self.rng.random() < 0.1
        if not served:
            slave.close()
        options = dict(self.options, full=full, statusFile=self.status_file('sync.status'))
        if slave.book.rotten or source.book.rotten:
            options['scrub'] = 'full'
        round_ = Round(slave, source, '--full' if full else 'sync')
        round_.end(self.program.sync(source.directory, slave.directory, **options))
        answer = round_.answer
        self.note(f"{round_.name} {slave.name} <- {source.name}{' (served)' if served else ''}: "
                  f"{round_.code} {answer['action']} ({answer['reason'][:90]})")
        self.count(f"{round_.name} {round_.code} {answer['action']}")
        round_.source_untouched()
        if slave.promoted or served:
            if round_.data_changed() or round_.code not in (0, 3, 5):
                round_.fail('a promoted slave was written' if slave.promoted else 'a slave in use was written')
            return round_.code
        round_.judge_sync(full)
        self.remember(round_)
        return round_.code

    def remember(self, round_):
        """Updates the books after a sync that broke no rule."""
        slave, source, code = round_.slave, round_.source, round_.code
        if code == 0:
            slave.follow(source)
            slave.promotions |= source.promotions
            slave.refused = slave.damage_reported = False
            slave.tags, source.tags = set(), set()
            if os.path.exists(slave.path + '.dat'):
                slave.dats = (slave.dats + [read(slave.path + '.dat')])[-MOST_DATS:]
            return
        slave.refused |= code == 3
        slave.damage_reported |= code == 4
        if round_.data_changed() and round_.after.committed() <= source.book.lineage:
            slave.follow(source)

    def kill_sync(self):
        """A separate process, killed at a random moment."""
        slave, source = self.slave, self.source
        slave.close()
        round_ = Round(slave, source, 'killed sync')
        command = [*COMMAND_LINE, 'sync', source.directory, slave.directory, '--status-file', self.status_file('sync.status')]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.rng.uniform(0.04, 0.16))
        process.send_signal(signal.SIGKILL)
        process.wait()
        round_.end({'exitCode': 0, 'action': 'killed', 'reason': ''})
        self.note(f'{slave.name}: a sync was killed')
        # It may have recorded a refusal before it was killed.
        role = slave.path + '.role'
        slave.refused |= os.path.exists(role) and b'\nrefused ' in read(role)
        if not slave.promoted:
            round_.nothing_lost(source.book.lineage | source.book.pardoned)
            if round_.data_changed() and round_.after.committed() <= source.book.lineage:
                slave.follow(source)
        elif round_.data_changed():
            round_.fail('a promoted slave was written')

    def promote(self):
        """Returns whether the slave may serve now."""
        slave = self.slave
        slave.close()
        round_ = Round(slave, self.source, 'promote')
        round_.end(self.program.promote(slave.directory, self.status_file('promote.status')))
        self.note(f"promote {slave.name}: {round_.code} {round_.answer['action']}")
        # Commits in the slave's file stay, whoever else has them; a broken batch of the source's may go.
        round_.nothing_lost(self.source.book.lineage - round_.held)
        # A slave whose disk lost its end is promoted with 4: it serves the rest.
        if round_.code != 0 and not (round_.code == 4 and 'cut short' in slave.tags):
            round_.fail('promote failed')
        round_.serves()
        slave.promoted = True
        slave.promotions = slave.promotions | {len(self.log)}
        slave.book.lineage |= round_.held
        return True

    def demote(self):
        slave = self.slave
        slave.close()
        round_ = Round(slave, self.source, 'demote')
        round_.end(self.program.demote(slave.directory))
        self.note(f'demote {slave.name}: {round_.code}')
        round_.nothing_lost(set())
        if round_.data_changed() or round_.code != 0:
            round_.fail('demote changed Data.fs')
        slave.promoted = False
        slave.tags.add('demoted')

    def swap(self):
        """The way back: the serving side continues as master, the old master is stopped and becomes the slave."""
        self.master.close()
        self.master, self.slave = self.slave, self.master
        self.mount(self.master)
        self.master_alive = True

    def mount(self, host):
        self.source = host
        self.note(f'{self.slave.name} follows {host.name}')
