"""One history: a master with blobs, its writer, a slave, and the calls of the program."""
import os
import random
import threading

import program as programs
from oracle import Moment, TestFault, named
from registry import Registry
from rules import Verdict
from storages import FileMaster, ZeoMaster
from tree import Tree, make_directory
from writer import Writer
from ZODB.FileStorage import FileStorage


class World:
    """
    `kinds`: what may happen. `disturbed`: something happened after which blobs may be left behind. `missing`: what the last sync
    reported as missing. `aside`: {key: bytes} of files that an accident took from the master. `junk`, `foreign`: files that the
    test put into the master's tree and into the slave's. `held`: with --keep-blobs, all blobs that the slave ever had.
    """

    def __init__(self, directory, program, name, storage_kind, layout, kinds):
        self.directory, self.program, self.kinds = directory, program, kinds
        self.storage_kind, self.layout = storage_kind, layout
        # The judge draws its own samples, so that what it opens does not change the history.
        self.rng, self.judging = random.Random(name), random.Random(f'judging {name}')
        # The directories alone show no loss, so nothing could be judged (docs/operate.md).
        self.keeps, self.by_tree = 'keep' in kinds, 'tree' in kinds and 'loss' not in kinds
        self.disturbed, self.missing, self.aside = False, set(), {}
        # Names of blobs whose file changed on the slave: where all are compared, what they had is kept as .replaced.
        self.spoiled = set()
        self.junk, self.foreign, self.held = {}, {}, {}
        self.log, self.counts = [], {}
        self.registry = Registry()
        self.master, self.master_blobs = self._side('master')
        self.slave, self.slave_blobs = self._side('slave')
        os.mkdir(self.slave_blobs)
        # A FileStorage that creates its file empties the blob directory.
        FileStorage(self.master).close()
        make_directory(self.master_blobs, layout)
        self.server = self.writer = None

    def _side(self, name):
        folder = os.path.join(self.directory, name)
        os.makedirs(os.path.join(folder, 'filestorage'))
        return os.path.join(folder, 'filestorage', 'Data.fs'), os.path.join(folder, 'blobstorage')

    def open(self):
        if self.storage_kind.startswith('zeo'):
            self.server = ZeoMaster(self.master, self.master_blobs, self.storage_kind, self.directory, self.rng)
        else:
            self.server = FileMaster(self.master, self.master_blobs, self.storage_kind)
        self.writer = Writer(self.server.storage, self.master, self.registry, self.directory, random.Random(f'writer {self.rng.random()}'))

    def close(self):
        if self.writer:
            self.writer.close()
        if self.server:
            self.server.close()

    def note(self, text):
        self.log.append(text)

    def count(self, what, number=1):
        self.counts[what] = self.counts.get(what, 0) + number

    def commit(self, count):
        for _ in range(count):
            self.note(f'commit {self.writer.step()}')

    def arguments(self, options):
        modes = (['--keep-blobs'] if self.keeps else []) + (['--blobs-by', 'tree'] if self.by_tree else [])
        return [os.path.dirname(self.master), os.path.dirname(self.slave), '--blobs', f'{self.master_blobs}:{self.slave_blobs}',
                '--status-file', os.path.join(self.directory, 'status'), '--json', '--quiet', *modes, *options]

    def sync(self, *options, kill=None, beside=None, packs=False, repairs=False):
        """One sync and its verdict; `beside`: what another thread does meanwhile. Returns the exit code."""
        moment = Moment(self, quiet=beside is None)
        companion = Companion(beside) if beside else None
        try:
            outcome = self.program.sync(self.arguments(options), kill)
        finally:
            if companion:
                companion.end()
        what = ' '.join(['sync', *options, *(['beside others'] if beside else [])])
        if outcome.code == programs.KILLED:
            what = f'killed {what}'
            self.disturbed = True
        self.note(f'{what}: {outcome}')
        verdict = Verdict(self, moment, outcome, what, packs, repairs)
        verdict.judge()
        self.count(f"{what}, exit {outcome.code} {outcome.result.get('action') or ''}".strip())
        self.count('blobs opened and compared', len(verdict.visible.keys) - len(verdict.visible.absent))
        self._remember(verdict, outcome.code)
        return outcome.code

    def _remember(self, verdict, code):
        if code in (0, 4):
            self.missing = set(verdict.visible.absent)
        elif code != programs.KILLED:
            self.disturbed = True
        if self.keeps:
            for key in verdict.tree.blobs:
                if key not in self.held and verdict.tree.read(key) == self.registry.contents.get(key):
                    self.held[key] = self.registry.contents[key]

    def master_tree(self):
        return Tree(self.master_blobs, self.layout)

    def slave_tree(self):
        return Tree(self.slave_blobs, self.layout)

    def visible_on_master(self):
        return named(self.master)[0]


class Companion:
    """A thread that calls a function, again and again if it is a generator, until it is ended."""

    def __init__(self, work):
        self.error, self.over = None, threading.Event()
        self.thread = threading.Thread(target=self._run, args=(work,))
        self.thread.start()

    def _run(self, work):
        try:
            for _ in work(self.over):
                if self.over.is_set():
                    break
        except Exception as error:
            self.error = error

    def end(self):
        self.over.set()
        self.thread.join()
        if self.error:
            raise TestFault(f'what ran beside the sync failed: {self.error!r}') from self.error
