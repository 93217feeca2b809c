"""What only the old master had, for the site that serves now.

`syncpozo rejoin` keeps the transactions that only the old master had in a file lost-<tid>-<tid>.fs. This program lists what is in
it, and brings objects of it back: as a copy in the site that serves, or as a .zexp file for the Import of the ZMI.

    PYTHON lost-content.py list LOST [SERVING]
    PYTHON lost-content.py show LOST SERVING OID
    PYTHON lost-content.py copy LOST SERVING OID... --into PATH [--as NAME] [--yes]
    PYTHON lost-content.py export LOST SERVING OID... --to DIRECTORY

PYTHON is the Python of the site, such as bin/zopepy or `bin/instance run`: it has ZODB and the classes of the objects. SERVING is
the server, HOST:PORT (with another storage than "1": HOST:PORT/STORAGE), or the path of a Data.fs that no server has open.

What always holds:
* Nothing that the serving side has is overwritten. Every object is copied to a new oid, and a name that is taken is refused.
* Without --yes, copy writes nothing: it lists what it would copy.
* An object is copied as it was on the old master, with all that it refers to: from the lost file, or, where no lost transaction
  changed it, as it was at the fork. That state comes from the history of the serving side. If a pack has removed it there, name a
  file that has it with --base: `syncpozo restore DATA BASE --until FORK_TID` makes one.
"""

import argparse
import atexit
import collections
import io
import json
import os
import pprint
import shutil
import sys
import tempfile

import transaction
from persistent.TimeStamp import TimeStamp
from ZODB import DB
from ZODB._compat import PersistentPickler, Unpickler, _protocol
from ZODB.blob import is_blob_record
from ZODB.broken import PersistentBroken
from ZODB.Connection import TransactionMetaData
from ZODB.FileStorage import FileStorage
from ZODB.interfaces import IBlobStorage
from ZODB.POSException import ConflictError, POSKeyError, StorageError
from ZODB.serialize import referencesf
from ZODB.utils import get_pickle_metadata, maxtid, p64, u64, z64

HIDDEN = ('BTrees.',)


class Refused(Exception):
    """What a person has to change first."""


def text_of(tid):
    return str(TimeStamp(tid))[:19] + ' UTC'


def hex_of(oid):
    return '0x%x' % u64(oid)


def class_of(data):
    return '.'.join(get_pickle_metadata(data))


def open_serving(place, blobs, writing):
    """The storage that serves: of a server, or of a file."""
    host, colon, rest = place.rpartition(':')
    if not os.path.exists(place) and colon and rest.split('/')[0].isdigit():
        from ZEO.ClientStorage import ClientStorage
        port, _, name = rest.partition('/')
        directory = blobs or tempfile.mkdtemp('.lost-content')
        if not blobs:
            atexit.register(shutil.rmtree, directory, ignore_errors=True)
        return ClientStorage((host, int(port)), storage=name or '1', wait_timeout=30, read_only=not writing,
                             blob_dir=directory, shared_blob_dir=blobs is not None)
    if not os.path.isfile(place):
        raise Refused('%s is neither HOST:PORT nor a file' % place)
    return FileStorage(place, read_only=not writing, blob_dir=blobs)


def fork_of(lost, given):
    """The tid of the last transaction that both sides have."""
    if given:
        return bytes.fromhex(given)
    report = os.path.splitext(lost)[0] + '.json'
    try:
        with open(report) as file:
            return bytes.fromhex(json.load(file)['fork']['tid'])
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused('%s does not name the fork: name the last common transaction with --fork TID' % report)


class OldMaster:
    """The objects as the old master had them at its end: the lost file, over the state at the fork."""

    def __init__(self, lost, base, fork):
        self.lost, self.base, self.before = lost, base, p64(u64(fork) + 1)

    def at_fork(self, oid):
        """(data, tid) of what both sides had; None: they had no such object, or a pack has removed that state."""
        try:
            found = self.base.loadBefore(oid, self.before)
        except POSKeyError:
            return None
        return found and (found[0], found[1])

    def load(self, oid):
        """(data, tid, storage); None: the old master had no such object, as far as can be known."""
        try:
            found = self.lost.loadBefore(oid, maxtid)
        except POSKeyError:
            found = None
        if found:
            return found[0], found[1], self.lost
        found = self.at_fork(oid)
        return found and (found[0], found[1], self.base)

    def reach(self, oids, kept):
        """All that these objects refer to, with themselves, but for what is kept: {oid: (data, tid, storage)}, and what is missing."""
        reached, missing, todo = {}, [], list(reversed(oids))
        while todo:
            oid = todo.pop()
            if oid in reached or oid in kept or oid in missing:
                continue
            found = self.load(oid)
            if found is None:
                missing.append(oid)
                continue
            reached[oid] = found
            references = []
            referencesf(found[0], references)
            todo.extend(reversed(references))
        return reached, missing


def current(storage, oid):
    """(data, tid) of the newest state; None: there is no such object."""
    try:
        found = storage.loadBefore(oid, maxtid)
    except POSKeyError:
        return None
    return found and (found[0], found[1])


def shown(data):
    """The state of an object as Python shows it. Classes that are not here are shown by their name, references by their oid."""

    class Named:
        name, state = 'object', None

        def __init__(self, *arguments):
            self.arguments = arguments

        def __setstate__(self, state):
            self.state = state

        def __repr__(self):
            return '<%s %r>' % (self.name, self.arguments if self.state is None else self.state)

    class Text:
        def __init__(self, text):
            self.text = text

        def __repr__(self):
            return self.text

    def find(module, name):
        return type(name, (Named,), {'name': '%s.%s' % (module, name)})

    def reference(ref):
        if isinstance(ref, tuple):
            return Text('<%s %s>' % (getattr(ref[1], 'name', 'object'), hex_of(ref[0])))
        if isinstance(ref, bytes):
            return Text('<object %s>' % hex_of(ref))
        return Text('<weak reference %s>' % hex_of(ref[1][0]) if ref[0] == 'w' else '<object of another database>')

    unpickler = Unpickler(io.BytesIO(data))
    unpickler.find_global, unpickler.persistent_load = find, reference
    unpickler.load()
    return unpickler.load()


def label(data):
    """What a person knows the object by."""
    try:
        state = shown(data)
        named = [(key, state[key]) for key in ('id', '__name__', 'title') if state.get(key)]
    except Exception:
        return ''
    return ' '.join('%s=%r' % pair for pair in named if isinstance(pair[1], (str, bytes)))


def list_lost(options, old, serving):
    for lost in old.lost.iterator():
        user, description = (text.decode('utf-8', 'replace') for text in (lost.user, lost.description))
        print('%s  %s  %s %s' % (lost.tid.hex(), text_of(lost.tid), user, description))
        hidden = 0
        for record in lost:
            if record.data is None:
                print('  %-8s removed' % hex_of(record.oid))
                continue
            name = class_of(record.data)
            if name.startswith(HIDDEN) and not options.all:
                hidden += 1
                continue
            print(('  %-8s %s, %d bytes%s  %s' % (
                hex_of(record.oid), name, len(record.data), since(old, serving, record.oid), label(record.data))).rstrip())
        if hidden:
            print('  parts of BTrees: %d; --all lists them' % hidden)


def since(old, serving, oid):
    """What became of the object: here after the fork, and on the serving side."""
    if serving is None:
        return ''
    common, there = old.at_fork(oid), current(serving, oid)
    if common is None:
        return ', created here' + ('; ANOTHER object has this oid on the serving side' if there else '')
    if there is None:
        return ', changed here, deleted on the serving side'
    return ', changed here' + (' and on the serving side' if there[1] != common[1] else ' only')


class Reference:
    """A reference in a pickle."""

    def __init__(self, ref):
        self.ref = ref


def renumbered(data, renumber):
    """The record with other oids in its references."""

    def written(thing):
        return thing.ref if isinstance(thing, Reference) else None

    def read(ref):
        if isinstance(ref, tuple):
            return Reference((renumber(ref[0]),) + ref[1:])
        if isinstance(ref, bytes):
            return Reference(renumber(ref))
        if ref[0] == 'w' and len(ref[1]) == 1:
            return Reference(['w', (renumber(ref[1][0]),)])
        return Reference(ref)  # into another database

    unpickler = Unpickler(io.BytesIO(data))
    unpickler.persistent_load = read
    result = io.BytesIO()
    pickler = PersistentPickler(written, result, _protocol)
    try:
        for _ in range(2):
            pickler.dump(unpickler.load())
    except (ImportError, AttributeError) as error:
        raise Refused('%s\nhint: run this program with the Python of the site, which has this class' % error)
    return result.getvalue()


def blob_file(found, oid):
    """The path of the blob of a record that load() found."""
    data, tid, storage = found
    try:
        if IBlobStorage.providedBy(storage):
            return storage.loadBlob(oid, tid)
    except POSKeyError:
        pass
    raise Refused('the blob of %s, transaction %s, is not there\nhint: see --blobs, --lost-blobs and --base-blobs' % (hex_of(oid), tid.hex()))


def write_objects(serving, reached, kept, roots):
    """Stores copies in one transaction. Nothing refers to them yet. Returns the new oids of the roots."""
    new = {oid: serving.new_oid() for oid in reached}
    with tempfile.TemporaryDirectory() as directory:
        records = []
        for oid, found in reached.items():
            # A weak reference to what is not copied leads nowhere: its old number may be another object's on the serving side.
            data = renumbered(found[0], lambda ref: ref if ref in kept else new.get(ref) or new.setdefault(ref, serving.new_oid()))
            blob = None
            if is_blob_record(found[0]):
                if not IBlobStorage.providedBy(serving):
                    raise Refused('%s is a blob: name the blob directory of the serving side with --blobs' % hex_of(oid))
                blob = shutil.copy(blob_file(found, oid), os.path.join(directory, hex_of(oid)))
            records.append((new[oid], data, blob))
        meta = TransactionMetaData('', 'lost-content: copies of lost objects')
        serving.tpc_begin(meta)
        try:
            for oid, data, blob in records:
                if blob is None:
                    serving.store(oid, z64, data, '', meta)
                else:
                    moved = shutil.move(blob, os.path.join(serving.temporaryDirectory(), os.path.basename(blob) + '.lost'))
                    serving.storeBlob(oid, z64, data, moved, '', meta)
            serving.tpc_vote(meta)
            serving.tpc_finish(meta)
        except BaseException:
            serving.tpc_abort(meta)
            raise
    return [new[oid] for oid in roots]


def child(container, name):
    """What the container has under this name; None: nothing."""
    if hasattr(container, '_getOb'):
        return container._getOb(name, None)
    if hasattr(container, '__getitem__'):
        return container[name] if name in container else None
    return getattr(container, name, None)


def container_at(root, path):
    here = root
    for name in filter(None, path.split('/')):
        here = child(here, name)
        if here is None:
            raise Refused('the serving side has no %s: there is no %r' % (path, name))
    if isinstance(here, PersistentBroken):
        raise Refused('the class of %s cannot be imported\nhint: run this program with the Python of the site' % path)
    return here


def place(container, name, copied):
    """Puts a copy under a name that is free."""
    if child(container, name) is not None:
        raise Refused('%r is taken: nothing is overwritten\nhint: choose another name with --as' % name)
    if hasattr(container, '_setObject'):
        getattr(copied, '_setId', lambda _: None)(name)
        container._setObject(name, copied)
    elif hasattr(container, '__setitem__'):
        container[name] = copied
    else:
        setattr(container, name, copied)


def names_of(options, oids):
    if options.name is None:
        return ['lost-%x' % u64(oid) for oid in oids]
    return [options.name] if len(oids) == 1 else ['%s-%d' % (options.name, n) for n in range(1, len(oids) + 1)]


def plan(options, old, serving):
    """What is copied, listed for a person. Refuses what would not be what the old master had."""
    roots = [p64(int(oid, 16)) for oid in options.oid]
    kept = {p64(int(oid, 16)) for oid in getattr(options, 'refer_to', ())}
    for oid in kept:
        if old.at_fork(oid) is None or current(serving, oid) is None:
            raise Refused('%s cannot be referred to: it is not an object that both sides have' % hex_of(oid))
    reached, missing = old.reach(roots, kept)
    print('%d objects, %d bytes, are copied' % (len(reached), sum(len(data) for data, _, _ in reached.values())))
    for name, count in collections.Counter(class_of(data) for data, _, _ in reached.values()).most_common():
        print('  %5d  %s' % (count, name))
    if missing and not options.allow_missing:
        raise Refused('%d objects that they refer to are missing: %s\nhint: if the serving side was packed since the fork, name a file that '
                      'has them with --base. If the old master lacked them, too, add --allow-missing'
                      % (len(missing), ' '.join(map(hex_of, missing[:10]))))
    if len(reached) > options.limit:
        raise Refused('more than %d objects are reached: probably one of them refers to its parent\nhint: --refer-to OID makes the copies '
                      'refer to an object of the serving side instead of copying it; --limit N allows more' % options.limit)
    return roots, kept, reached


def copy(options, old, serving):
    roots, kept, reached = plan(options, old, serving)
    names = names_of(options, roots)
    database = DB(serving)
    try:
        container = container_at(database.open().root(), options.into)
        for name in names:
            if child(container, name) is not None:
                raise Refused('%s has %r already: nothing is overwritten\nhint: choose another name with --as' % (options.into, name))
        if not options.yes:
            print('nothing is written: this was a dry run. With --yes they become %s of %s' % (', '.join(names), options.into))
            return
        new = write_objects(serving, reached, kept, roots)
        connection = database.open(transaction.TransactionManager())
        container = container_at(connection.root(), options.into)
        for name, oid in zip(names, new):
            place(container, name, connection.get(oid))
        connection.transaction_manager.get().note('lost-content: %s in %s' % (', '.join(names), options.into))
        connection.transaction_manager.commit()
        for root, name, oid in zip(roots, names, new):
            print('%s is copied to %s: %s of %s' % (hex_of(root), hex_of(oid), name, options.into))
    finally:
        database.close()


def has_weak_references(data):
    seen = []
    unpickler = Unpickler(io.BytesIO(data))
    unpickler.persistent_load = lambda ref: seen.append(isinstance(ref, list))
    unpickler.noload()
    unpickler.noload()
    return any(seen)


def export(options, old, serving):
    """Files that the Import of the ZMI, or Connection.importFile, reads."""
    roots, kept, reached = plan(options, old, serving)
    for oid, found in reached.items():
        if has_weak_references(found[0]):
            raise Refused('%s has weak references, which no Import can read: use copy' % hex_of(oid))
    for root in roots:
        path = os.path.join(options.to, 'lost-%x.zexp' % u64(root))
        with open(path, 'xb') as file:
            file.write(b'ZEXP')
            for oid, found in old.reach([root], kept)[0].items():
                file.write(oid + p64(len(found[0])) + found[0])
                if is_blob_record(found[0]):
                    with open(blob_file(found, oid), 'rb') as blob:
                        file.write(b'\0BLOBSTART' + p64(os.fstat(blob.fileno()).st_size))
                        shutil.copyfileobj(blob, file)
            file.write(b'\377' * 16)
        print('%s is exported to %s' % (hex_of(root), path))


def show(options, old, _serving):
    for oid in options.oid:
        found = old.load(p64(int(oid, 16)))
        if found is None:
            raise Refused('the old master had no %s' % oid)
        print('%s  %s, transaction %s of %s' % (oid, class_of(found[0]), found[1].hex(), text_of(found[1])))
        pprint.pprint(shown(found[0]))


def parser():
    result = argparse.ArgumentParser(description='What only the old master had, for the site that serves now.')
    commands = result.add_subparsers(dest='command', required=True)
    for name, action in (('list', list_lost), ('show', show), ('copy', copy), ('export', export)):
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument('lost', metavar='LOST', help='the file lost-<tid>-<tid>.fs')
        command.add_argument('serving', metavar='SERVING', nargs='?' if name == 'list' else None, help='HOST:PORT, or a Data.fs')
        command.add_argument('--fork', metavar='TID', help='the last common transaction, if the report beside LOST is gone')
        command.add_argument('--base', metavar='FILE', help='a file that ends at the fork, instead of the history of SERVING')
        for option in ('--blobs', '--lost-blobs', '--base-blobs'):
            command.add_argument(option, metavar='DIR', help='blob directory of %s' % (option[2:-6].rstrip('-') or 'SERVING'))
        if name == 'list':
            command.add_argument('--all', action='store_true', help='the parts of BTrees as well')
            continue
        command.add_argument('oid', metavar='OID', nargs='+')
        if name == 'show':
            continue
        command.add_argument('--limit', metavar='N', type=int, default=1000, help='refuse to copy more objects (1000)')
        command.add_argument('--allow-missing', action='store_true', help='the old master lacked them, too')
        if name == 'export':
            command.add_argument('--to', metavar='DIRECTORY', required=True)
        else:
            command.add_argument('--refer-to', metavar='OID', action='append', default=[], help='refer to this object of SERVING instead of copying it')
            command.add_argument('--into', metavar='PATH', required=True, help='such as Application/Plone/news; "/" is the root')
            command.add_argument('--as', metavar='NAME', dest='name')
            command.add_argument('--yes', action='store_true', help='write; without it, it is a dry run')
    return result


def run(options):
    lost_blobs = options.lost_blobs or os.path.splitext(options.lost)[0] + '.blobs'
    if not os.path.isfile(options.lost):
        raise Refused('there is no %s' % options.lost)
    lost = FileStorage(options.lost, read_only=True, blob_dir=lost_blobs if os.path.isdir(lost_blobs) else None)
    writing = options.command == 'copy' and options.yes
    serving = base = options.serving and open_serving(options.serving, options.blobs, writing)
    if options.base:
        base = FileStorage(options.base, read_only=True, blob_dir=options.base_blobs)
    fork = fork_of(options.lost, options.fork) if base else z64
    try:
        options.action(options, OldMaster(lost, base, fork), serving)
    finally:
        for storage in filter(None, {lost, base, serving}):
            storage.close()


def main():
    try:
        run(parser().parse_args())
    except (Refused, FileExistsError, StorageError, ConflictError) as error:
        print('lost-content: %s' % error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
