"""A data directory with a real FileStorage on it, and the book of what was ever committed in the line of its file."""
import os
import shutil
import time

from persistent.TimeStamp import TimeStamp
from ZODB.FileStorage import FileStorage
from ZODB.utils import z64

from files import contents, read
from objects import references

FILES_OF_A_SERVER = ('.index', '.tmp', '.lock')


def tid_at(seconds):
    return TimeStamp(*time.gmtime(seconds)[:5] + (seconds % 60,)).raw()


def time_of(tid):
    return TimeStamp(tid).timeTime()


class Host:
    """
    `lineage`: the commits in the line of files that the present file descends from. A pack removes nothing from it: what a
    pack drops is the site's own decision. `removed`: why a commit is no longer in it.
    `pardoned`: commits that fsrecover or rot dropped, and that the pack which followed would have dropped as well. `holes`: the same,
    but only because the object is gone altogether: no program can know that from the files.
    """

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.directory = os.path.join(world.directory, name)
        self.path = os.path.join(self.directory, 'Data.fs')
        os.mkdir(self.directory)
        self.storage = None
        self.lineage = set()
        self.removed = {}
        self.pardoned = set()
        self.holes = set()
        self.rotten = False
        self.term = 0
        self.promoted = False
        self.refused = False
        self.damage_reported = False
        self.tags = set()
        self.backups = []
        self.skew = world.rng.choice([0, 0, 0, -3600, 1800])
        self.clock = None

    def open(self):
        if self.storage is None:
            self.storage = FileStorage(self.path)
        return self.storage

    def close(self):
        if self.storage is not None:
            self.storage.close()
            self.storage = None

    def exists(self):
        return os.path.exists(self.path) and os.path.getsize(self.path) > 4

    def committed_end(self):
        return self.storage._pos if self.storage is not None else contents(self.path).end

    def committed_bytes(self):
        return read(self.path)[:self.committed_end()]

    def contents(self):
        return contents(self.path)

    def next_tid(self):
        """
        Tids of the world's one clock, each host with its skew, never falling in a file. In a history with `ties` a host counts
        on from its own last tid, so that two sides of a fork give out the same tids.
        """
        last = self.open()._ltid
        if self.world.ties:
            after = time_of(last) if last != z64 else self.world.now
            return tid_at(after + 60)
        tid = tid_at(self.world.tick() + self.skew)
        return tid if tid > last else TimeStamp(tid).laterThan(TimeStamp(last)).raw()

    def reachable(self):
        """{oid: (data, serial)} of what can be loaded from the root on."""
        storage = self.open()
        found, todo = {}, [z64]
        while todo:
            oid = todo.pop()
            if oid in found:
                continue
            try:
                found[oid] = storage.load(oid)
            except KeyError:
                continue
            todo.extend(references(found[oid][0]))
        return found

    def adopt(self, other):
        """This file has become a copy of the other host's one."""
        self.lineage = set(other.lineage)
        self.removed = dict(other.removed)
        self.pardoned = set(other.pardoned)
        self.holes = set(other.holes)

    def drop(self, commits, reason):
        for commit in commits:
            if commit in self.lineage:
                self.removed[commit] = reason
        self.lineage -= commits

    def save_backup(self):
        self.backups.append((self.committed_bytes(), set(self.lineage), self.rotten))
        del self.backups[:-6]

    def put(self, data, how):
        """Another file in this one's place, with the server down: by rename, or into the same inode."""
        self.close()
        if how == 'rename':
            with open(self.path + '.put', 'wb') as file:
                file.write(data)
            os.rename(self.path + '.put', self.path)
        else:
            with open(self.path, 'r+b') as file:
                file.write(data)
                file.truncate()
        self.remove_beside('.index')

    def remove_beside(self, suffix):
        if os.path.exists(self.path + suffix):
            os.remove(self.path + suffix)

    def copy_from(self, other):
        """A copy of the other host's file in this host's empty directory."""
        shutil.rmtree(self.directory)
        os.mkdir(self.directory)
        with open(self.path, 'wb') as file:
            file.write(other.committed_bytes())
        self.adopt(other)
        self.rotten = other.rotten
