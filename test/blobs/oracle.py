"""
The judge. Opens a copy of the slave with real ZODB and compares every revision of every blob that its Data.fs names with what was
registered when it was committed. Shares no code with the program: it knows neither its manifest nor its matcher.
"""
import os
import shutil

from ZODB import DB
from ZODB.blob import is_blob_record
from ZODB.FileStorage.FileStorage import FileIterator
from ZODB.POSException import POSKeyError

from storages import expanded, opened_copy
from tree import Tree, read, shown

OPENED_AS_OBJECTS = 4


class Violation(Exception):
    """`rule` names the row of the table; the rest of the message is for people."""

    def __init__(self, rule, detail):
        super().__init__(f'{rule}: {detail}')
        self.rule = rule


class TestFault(Exception):
    """The writer registered something else than it committed."""


def named(path):
    """(names, end): the blobs that the committed transactions of a Data.fs name, and the position behind the last one."""
    names, end = {}, 4
    if not os.path.exists(path) or os.path.getsize(path) <= 4:
        return names, end
    iterator = FileIterator(path)
    try:
        for transaction in iterator:
            for record in transaction:
                if record.data and is_blob_record(expanded(record.data)):
                    names[record.oid, record.tid] = True
            end = iterator._pos
    finally:
        iterator.close()
    return names, end


def committed_bytes(path):
    return read(path)[:named(path)[1]]


class Copy:
    """What a site would open after a takeover at this moment: the files of the slave, its blobs by hard links."""

    def __init__(self, world):
        self.directory = os.path.join(world.directory, 'copy')
        self.path = os.path.join(self.directory, 'Data.fs')
        self.blobs = os.path.join(self.directory, 'blobs')
        os.mkdir(self.directory)
        for suffix in ('', '.index'):
            if os.path.exists(world.slave + suffix):
                shutil.copyfile(world.slave + suffix, self.path + suffix)
        for path, _, names in os.walk(world.slave_blobs):
            target = os.path.join(self.blobs, os.path.relpath(path, world.slave_blobs))
            os.makedirs(target, exist_ok=True)
            for name in names:
                os.link(os.path.join(path, name), os.path.join(target, name))

    def remove(self):
        shutil.rmtree(self.directory)


class Visible:
    """What the slave's Data.fs names: `keys`, of which `absent` have no file."""

    def __init__(self, world, what):
        self.keys, self.absent = {}, set()
        if not os.path.exists(world.slave):
            return
        if os.path.getsize(world.slave) == 0:
            raise Violation('an empty Data.fs, which ZODB opens as an empty database', what)
        copy = Copy(world)
        try:
            self._open(copy, world, what)
        finally:
            copy.remove()

    def _open(self, copy, world, what):
        try:
            storage = opened_copy(copy.path, copy.blobs, world.storage_kind)
        except Exception as error:
            raise Violation('ZODB does not open the slave', f'{what}: {error!r}') from error
        try:
            self._name(storage, what)
            for key in self.keys:
                self._load(storage, key, world, what)
            self._open_as_objects(storage, world, what)
        finally:
            storage.close()

    def _name(self, storage, what):
        try:
            for transaction in storage.iterator():
                for record in transaction:
                    if record.data and storage.is_blob_record(record.data):
                        self.keys[record.oid, record.tid] = True
        except Exception as error:
            raise Violation('ZODB does not read the slave', f'{what}: {error!r}') from error

    def _load(self, storage, key, world, what):
        try:
            path = storage.loadBlob(*key)
        except POSKeyError:
            self.absent.add(key)
            return
        compare(world, key, read(path), what)

    def _open_as_objects(self, storage, world, what):
        """Some of the current ones, as a site opens them."""
        current = {oid: tid for oid, tid in sorted(self.keys)}
        present = [oid for oid, tid in current.items() if (oid, tid) not in self.absent]
        chosen = world.judging.sample(present, min(len(present), OPENED_AS_OBJECTS))
        db = DB(storage)
        try:
            connection = db.open()
            for oid in chosen:
                try:
                    blob = connection.get(oid)
                    serial = blob._p_serial
                    if serial != current[oid]:
                        # Its newest record is the undo of its creation, or what ZODB makes of a pack.
                        continue
                    with blob.open('r') as file:
                        data = file.read()
                except POSKeyError as error:
                    if "No blob file" in str(error):
                        raise Violation('a visible blob does not open', f'{what}: {shown((oid, current[oid]))}: {error!r}') from error
                    continue
                compare(world, (oid, serial), data, what)
            connection.close()
        finally:
            db.close()


def compare(world, key, data, what):
    if key not in world.registry.contents:
        raise Violation('the slave names a blob that was never committed', f'{what}: {shown(key)}')
    expected = world.registry.contents[key]
    if data == expected:
        return
    try:
        witness = Tree(world.master_blobs, world.layout).read(key)
    except (KeyError, FileNotFoundError):
        witness = None
    if witness == data:
        same = [tid.hex() for tid, content in world.registry.revisions[key[0]] if content == data]
        raise TestFault(f"{what}: {shown(key)}: the registry and the master's file differ, which equals {same}; "
                        f'all: {[(tid.hex(), content and len(content)) for tid, content in world.registry.revisions[key[0]]]}')
    size = None if expected is None else len(expected)
    raise Violation('a visible blob has other bytes', f'{what}: {shown(key)}: {len(data)} bytes, committed were {size}')


def lost_on_master(world):
    """Blobs that the master's Data.fs names and its tree lacks: an accident of the test, or of ZODB's pack."""
    names, _ = named(world.master)
    return set(names) - set(Tree(world.master_blobs, world.layout).blobs)


class Moment:
    """Both sides before a sync; `quiet`: nobody else is at work."""

    def __init__(self, world, quiet=True):
        self.slave_tree = Tree(world.slave_blobs, world.layout)
        self.master_tree = Tree(world.master_blobs, world.layout)
        self.slave_data = read(world.slave) if os.path.exists(world.slave) else None
        self.lost = lost_on_master(world)
        self.quiet = quiet

