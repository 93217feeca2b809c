"""Accidents: lost and damaged blobs, lost small files of the slave, files in the trees that are nobody's."""
import os
import shutil

from chances import event
from tree import name_of, path_of, read, write

FUTURE = b'\xff' * 8


def remove_beside(world, suffix):
    if os.path.exists(world.slave + suffix):
        os.remove(world.slave + suffix)


@event('dat', 4, lambda world: not world.aside)
def lost_dat(world):
    """The slave is adopted again: it is a beginning of the master."""
    if world.sync() != 0:
        return
    remove_beside(world, '.dat')
    world.note('the .dat is gone')
    world.commit(world.rng.choice([0, 1, 3]))
    world.sync()


@event('manifest', 5)
def lost_manifest(world):
    remove_beside(world, '.blobs')
    world.disturbed = True
    world.note('the manifest is gone')


@event('loss', 6)
def loss_on_master(world):
    """Files of blobs that the slave does not have yet."""
    world.commit(2)
    tree, slave = world.master_tree(), world.slave_tree()
    found = sorted(key for key in world.visible_on_master() if key in tree.blobs and key not in slave.blobs)
    for key in world.rng.sample(found, min(len(found), world.rng.choice([1, 1, 2, 3]))):
        world.aside[key] = tree.read(key)
        os.remove(path_of(world.master_blobs, key, world.layout))
        world.note(f'lost on the master: {name_of(key, world.layout)}')
    world.sync()


def put_all_back(world):
    names = world.visible_on_master()
    for key, content in world.aside.items():
        if key in names:
            path = path_of(world.master_blobs, key, world.layout)
            write(path, content)
            os.chmod(path, 0o444)
    world.aside.clear()
    world.note('put back on the master')


@event('loss', 12, lambda world: world.aside)
def put_back(world):
    put_all_back(world)
    world.sync()


def damage(world, path):
    """One way of losing the bytes of a file; bit rot changes neither size nor times."""
    rng, status, data = world.rng, os.stat(path), read(path)
    way = rng.choice(['removed', 'removed', 'truncated', 'flipped', 'flipped', 'zeroed', 'another', 'longer'])
    if way == 'removed' or not data:
        os.remove(path)
        return 'removed'
    at = rng.randrange(len(data))
    changed = {
        'truncated': data[:at],
        'flipped': data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:],
        'zeroed': data[:at] + bytes(len(data) - at),
        'another': rng.randbytes(len(data)),
        'longer': data + b'\0',
    }[way]
    os.chmod(path, 0o644)
    with open(path, 'r+b') as file:
        file.write(changed)
        file.truncate()
    os.chmod(path, status.st_mode)
    if rng.random() < 0.6:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return way


@event('rot', 8)
def rot_on_slave(world):
    """A full scrub repairs it from the master."""
    master, slave = world.master_tree(), world.slave_tree()
    found = sorted(key for key in world.visible_on_master() if key in master.blobs and key in slave.blobs)
    for key in world.rng.sample(found, min(len(found), world.rng.choice([1, 1, 2, 5]))):
        way = damage(world, path_of(world.slave_blobs, key, world.layout))
        world.held.pop(key, None)
        world.spoiled.add(name_of(key, world.layout))
        world.note(f"the slave's {name_of(key, world.layout)}: {way}")
    world.sync('--scrub', 'full', repairs=True)


def junk_names(world, tree):
    """Names that people, ZODB and rsync leave in a blob directory."""
    rng = world.rng
    keys = sorted(tree.blobs)
    names = ['tmp/BUSHY-0x01', 'tmp/savepoints7/0x05/0x00.spb', 'README.txt', '.rsync-partial', 'lost+found/0x12.blob', '0x0a/notes',
             '.removed', '0x03fe000000000000.blob', 'backup/0x00/0x00/x.blob']
    if keys:
        oid, tid = rng.choice(keys)
        name = name_of((oid, tid), world.layout)
        stem = name[:-len('.blob')]
        names += [f'{stem}.tmp-{rng.random()}', f'{stem}tmp-aaaa', f'{name}.bak', f'{name}~', f'{stem}.BLOB', f'{stem.upper()}.blob',
                  os.path.join(os.path.dirname(name), '.lock'), os.path.join(os.path.dirname(name), f'.{os.path.basename(name)}.Xy12')]
    return rng.sample(names, 4)


@event('junk', 6)
def junk(world):
    master, slave = world.master_tree(), world.slave_tree()
    for name in junk_names(world, master):
        if name not in master.entries:
            world.junk[name] = world.rng.randbytes(40)
            write(os.path.join(world.master_blobs, name), world.junk[name])
    # A blob of a transaction that never was: a writer died between vote and finish.
    orphan = name_of((world.rng.randbytes(8)[:7] + b'\0', world.registry.tids[-1] if world.registry.tids else FUTURE), world.layout)
    write(os.path.join(world.master_blobs, orphan), b'orphan')
    for name in [*junk_names(world, slave), name_of((b'\0' * 7 + b'\x05', FUTURE), world.layout)]:
        if name not in slave.entries:
            world.foreign[name] = world.rng.randbytes(40)
            write(os.path.join(world.slave_blobs, name), world.foreign[name])
    world.note('files that are nobody\'s')


@event('empty', 3)
def lost_slave(world):
    """The slave's data is gone, its blobs are still there: the first copy finds them."""
    folder = os.path.dirname(world.slave)
    shutil.rmtree(folder)
    os.mkdir(folder)
    world.disturbed = True
    world.missing = set()
    world.note("the slave's Data.fs is gone with all beside it")
    world.sync()
