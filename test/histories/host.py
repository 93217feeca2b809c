"""A data directory with a real FileStorage on it, and the book of all commits in its file's lineage."""
import os
import time

from persistent.TimeStamp import TimeStamp
from ZODB.FileStorage import FileStorage
from ZODB.utils import z64

from files import contents, read
from objects import references

MOST_BACKUPS = 6
# In a history with ties both sides of a fork take the next tids in this step.
TIE_SECONDS = 60


def tid_at(seconds):
    return TimeStamp(*time.gmtime(seconds)[:5] + (seconds % 60,)).raw()


def time_of(tid):
    return TimeStamp(tid).timeTime()


class Book:
    """
    The history's facts about a file.

    `lineage`: the commits of all files that the file descends from. A pack removes nothing from it: what a pack drops is
    the site's own decision. `removed`: why a commit is no longer in it.
    `pardoned`: commits that fsrecover dropped, and that a later pack would have dropped as well. `holes`: the same, but only
    because the whole object is gone; no program can know that from the files.
    `rotten`: bytes have changed without a write.
    """

    def __init__(self, lineage=(), removed=(), pardoned=(), holes=(), rotten=False):
        self.lineage, self.removed = set(lineage), dict(removed)
        self.pardoned, self.holes, self.rotten = set(pardoned), set(holes), rotten

    def copy(self):
        return Book(self.lineage, self.removed, self.pardoned, self.holes, self.rotten)

    def drop(self, commits, reason):
        for commit in commits & self.lineage:
            self.removed[commit] = reason
        self.lineage -= commits


class Host:
    """
    `promotions`: the takeovers that this side knows of. `refused`, `damage_reported`: the reports of syncs since this slave
    was last in step. `tags`: the events of the file since then.
    """

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.directory = os.path.join(world.directory, name)
        self.path = os.path.join(self.directory, 'Data.fs')
        os.mkdir(self.directory)
        self.storage = None
        self.book = Book()
        self.promoted = False
        self.promotions = set()
        self.refused = False
        self.damage_reported = False
        self.tags = set()
        self.backups = []
        self.dats = []
        self.skew = world.rng.choice([0, 0, 0, -3600, 1800])

    def open(self):
        if self.storage is None:
            # ZODB cannot open a file without any record beside the index that it wrote for it.
            if self.exists() and not self.contents().revisions():
                self.remove_beside('.index')
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
        Tids of the world's one clock: each host has its skew, and tids never decrease in a file. In a history with ties a host
        counts on from its own last tid, so that two sides of a fork take the same tids.
        """
        last = self.open()._ltid
        if self.world.ties:
            after = time_of(last) if last != z64 else self.world.now
            return tid_at(after + TIE_SECONDS)
        tid = tid_at(self.world.tick() + self.skew)
        return tid if tid > last else TimeStamp(tid).laterThan(TimeStamp(last)).raw()

    def reachable(self):
        """{oid: (data, serial)} of everything reachable from the root."""
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

    def follow(self, source):
        """The file joins the source's lineage: transactions that the source packed belong to it, those that it lacks do not."""
        held = self.contents().commits()
        self.book = source.book.copy()
        self.book.lineage = (source.book.lineage - source.contents().commits()) | held

    def save_backup(self):
        self.backups.append((self.committed_bytes(), self.book.copy()))
        del self.backups[:-MOST_BACKUPS]

    def put(self, data, how='rename'):
        """Replaces the file by another one while the server is down: by rename, or in the same inode."""
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

    def copy_of(self, data, book):
        """Gives this host, whose directory is empty, a file of that history."""
        with open(self.path, 'wb') as file:
            file.write(data)
        self.book = book.copy()
        return self
