"""Accidents of a master: restores, power cuts, wrong mounts, rot, fsrecover."""
import contextlib
import io
import os

from ZODB.fsrecover import recover

import commits
from events import commit_some
from files import contents, read
from registry import event


def master_stands(world):
    return world.source is world.master


@event('rollback', 5, lambda world: master_stands(world) and world.master.backups)
def restore(world):
    """A backup replaces the master's file."""
    host = world.master
    data, book = world.rng.choice(host.backups)
    how = world.rng.choice(['rename', 'in place'])
    put_with_book(host, data, book, 'restore', how)
    world.note(f'{host.name}: restored a backup of {len(data)} bytes, {how}')
    go_on(world, host)


@event('rollback', 4, master_stands)
def power_cut(world):
    """The last transactions of the master are lost."""
    host = world.master
    transactions = host.contents().transactions
    if len(transactions) < 2 or host.book.rotten:
        return
    first_lost = transactions[-world.rng.randrange(1, min(4, len(transactions)))]
    data = read(host.path)[:first_lost.start]
    book = host.book.copy()
    book.drop({each.commit for each in transactions if each.start >= first_lost.start}, 'power cut')
    put_with_book(host, data, book, 'power cut', 'in place')
    world.note(f'{host.name}: a power cut lost {first_lost.tid.hex()} and later')
    go_on(world, host)


def put_with_book(host, data, book, reason, how):
    host.put(data, how)
    merged = book.copy()
    for commit, why in {**dict.fromkeys(host.book.lineage, reason), **host.book.removed}.items():
        if commit not in book.lineage:
            merged.removed.setdefault(commit, why)
    host.book = merged
    host.tags.add(reason)


def go_on(world, host):
    if host in world.serving() and world.rng.random() < 0.7:
        commit_some(world, host, world.rng.randrange(1, 4))


@event('clone', 4, lambda world: master_stands(world) and world.master.backups and len(world.hosts) < 8)
def mount_clone(world):
    """A copy of the site from another moment, which may have grown, is mounted in the master's place."""
    data, book = world.rng.choice(world.master.backups)
    clone = world.add_host().copy_of(data, book)
    for commit in world.master.book.lineage - book.lineage:
        clone.book.removed.setdefault(commit, 'clone')
    clone.tags.add('clone')
    world.mount(clone)
    if world.rng.random() < 0.7:
        commit_some(world, clone, world.rng.randrange(1, 5))


@event('foreign', 3, lambda world: master_stands(world) and len(world.hosts) < 8)
def mount_foreign(world):
    """Another site's file."""
    foreign = world.add_host()
    commits.first_commit(foreign)
    for commit in world.master.book.lineage:
        foreign.book.removed[commit] = 'foreign'
    foreign.tags.add('foreign')
    world.mount(foreign)
    commit_some(world, foreign, world.rng.randrange(0, 5))


@event('clone', 10, lambda world: not master_stands(world))
@event('foreign', 10, lambda world: not master_stands(world))
def right_mount(world):
    world.mount(world.master)
    world.sync()


@event('rot', 5, lambda world: not world.source.book.rotten)
def rot_in_data(world):
    """Flips a bit of a record's data; ZODB does not notice."""
    host = world.source
    where = place_in_data(world, host.path, host.contents())
    if where is not None:
        flip(host.path, where)
        host.book.rotten = True
        world.note(f'{host.name}: a bit of the data at {where} flipped')


@event('rot', 4, lambda world: world.source.book.rotten and world.source.backups)
def cure(world):
    """Restores a backup from before the rot."""
    host = world.source
    clean = [(data, book) for data, book in host.backups if not book.rotten]
    if clean:
        data, book = clean[-1]
        put_with_book(host, data, book, 'restore', 'rename')
        world.note(f'{host.name}: restored a backup from before the rot')


def place_in_data(world, path, found):
    """A position inside a record's own data; None if the file has none."""
    data = read(path)
    places = []
    for each in found.transactions:
        for _, record in each.sequence:
            start = data.find(record, each.start, each.end) if record else -1
            if start >= 0:
                places.append(start + world.rng.randrange(len(record)))
    return world.rng.choice(places) if places else None


def flip(path, where):
    """The high bit: it never turns one marker's digit into another."""
    with open(path, 'r+b') as file:
        file.seek(where)
        byte = file.read(1)[0]
        file.seek(where)
        file.write(bytes([byte ^ 0x80]))


HEADER_PLACES = {'tid': 0, 'length': 15, 'status': 16, 'description length': 20}
# Not a record's tid: fsrecover leaves it wrong, and the master stays damaged.
RECORD_PLACES = {'oid': 6, 'transaction position': 31, 'data length': 41}


@event('fsrecover', 5, lambda world: master_stands(world) and not world.master.book.rotten)
def damage_and_recover(world):
    """The master is damaged; some syncs run; fsrecover's result replaces the file; the site continues."""
    host = world.master
    transactions = host.contents().transactions
    if len(transactions) < 3:
        return
    host.close()
    intact, before = read(host.path), host.contents()
    victim = world.rng.choice(transactions[1:])
    name, where = damage_place(world, victim)
    flip(host.path, victim.start + where)
    world.note(f'{host.name}: damage in the {name} of T{victim.commit:06d} {victim.tid.hex()}')
    host.book.rotten = True
    for _ in range(world.rng.choice([0, 0, 1, 2])):
        world.sync()
    host.close()
    recovered = run_fsrecover(host.path)
    host.book.rotten = False
    if recovered is None:
        host.put(intact)
        return
    took_over(world, host, before, recovered)


def damage_place(world, victim):
    if victim.sequence and world.rng.random() < 0.5:
        name = world.rng.choice(sorted(RECORD_PLACES))
        texts = len('user') + len('{T000000}')
        return name, 23 + texts + RECORD_PLACES[name]
    name = world.rng.choice(sorted(HEADER_PLACES))
    return name, HEADER_PLACES[name]


def run_fsrecover(path):
    """The path of fsrecover's output; None if it gave up."""
    result = path + '.recovered'
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            recover(path, result, force=True)
    except Exception:
        return None
    for suffix in ('.lock', '.tmp', '.index', '.tr0'):
        with contextlib.suppress(FileNotFoundError):
            os.remove(result + suffix)
    return result


def took_over(world, host, before, recovered):
    """Replaces the damaged file by the recovered one, and updates the book."""
    data = read(recovered)
    kept = {(each.tid, each.commit): each.records for each in contents(recovered).transactions}
    os.remove(recovered)
    keep_old = world.rng.random() < 0.5
    if keep_old:
        with open(host.path + '.old', 'wb') as file:
            file.write(read(host.path))
    how = world.rng.choice(['rename', 'in place'])
    host.put(data, how)
    host.tags.add('fsrecover')
    gone = [each for each in before.transactions if kept.get((each.tid, each.commit)) != each.records]
    for each in gone:
        world.dropped[each.commit] = (each.tid, {oid for oid, _ in each.sequence})
    host.book.drop({each.commit for each in gone}, 'fsrecover')
    world.note(f"{host.name}: fsrecover, {how}{', old file kept' if keep_old else ''}, dropped "
               f"{', '.join(f'T{each.commit:06d}' for each in gone) or 'nothing'}")
    go_on(world, host)
