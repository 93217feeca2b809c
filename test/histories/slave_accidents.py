"""Accidents of the slave's side: lost and damaged small files, interrupted and killed syncs, truncated files, rot."""
import os

from accidents import flip, place_in_data
from files import read
from registry import event, plain_slave

SMALL_FILES = ('.dat', '.dat', '.dat', '.index', '.scrub')


def unpromoted_with_dat(world):
    return plain_slave(world) and os.path.exists(world.slave.path + '.dat')


@event('dat', 5, plain_slave)
def lose_a_file(world):
    suffix = world.rng.choice(SMALL_FILES)
    world.slave.remove_beside(suffix)
    world.slave.tags.add(f'{suffix} lost')
    world.note(f'{world.slave.name}: Data.fs{suffix} is lost')


@event('dat', 2, unpromoted_with_dat)
def flip_in_dat(world):
    """If this file holds the role, the role is unknown until the next sync that is in step."""
    slave = world.slave
    flip_somewhere(world, slave.path + '.dat')
    slave.tags.add('dat flipped')
    world.note(f'{slave.name}: a bit of Data.fs.dat flipped')
    world.sync()
    slave.remove_beside('.dat')
    slave.tags.discard('dat flipped')
    slave.tags.add('.dat lost')


@event('dat', 6, lambda world: world.slave.promoted)
def flip_in_role(world):
    """A promoted slave with an unreadable role is not written."""
    slave = world.slave
    path = slave.path + ('.role' if os.path.exists(slave.path + '.role') else '.dat')
    if not os.path.exists(path):
        return
    slave.close()
    before = read(path)
    flip_somewhere(world, path)
    world.note(f'{slave.name}: a bit of {os.path.basename(path)} flipped')
    world.sync()
    with open(path, 'wb') as file:
        file.write(before)
    world.note(f'{slave.name}: {os.path.basename(path)} as it was')


def flip_somewhere(world, path):
    flip(path, world.rng.randrange(os.path.getsize(path)))


@event('dat', 3, lambda world: unpromoted_with_dat(world) and world.slave.dats)
def old_dat(world):
    """A `.dat` from an earlier moment."""
    slave = world.slave
    with open(slave.path + '.dat', 'wb') as file:
        file.write(world.rng.choice(slave.dats))
    slave.tags.add('.dat of an older moment')
    world.note(f'{slave.name}: an older Data.fs.dat')


@event('crash', 4, lambda world: plain_slave(world) and 'cut short' not in world.slave.tags)
def broken_batch(world):
    """A batch that a sync started: its first status byte marks it as in flight."""
    slave, source = world.slave, world.source
    ours, theirs = read(slave.path), source.committed_bytes()
    if not theirs.startswith(ours) or len(theirs) < len(ours) + 24:
        return
    slave.close()
    rest = bytearray(theirs[len(ours):])
    rest[16:17] = b'c'
    del rest[world.rng.randrange(24, len(rest) + 1):]
    with open(slave.path, 'ab') as file:
        file.write(rest)
    slave.tags.add('broken batch')
    world.note(f'{slave.name}: a batch of {len(rest)} bytes was interrupted')


@event('crash', 2, plain_slave)
def broken_rebuild(world):
    data = world.source.committed_bytes()
    with open(world.slave.path + '.new', 'wb') as file:
        file.write(data[:world.rng.randrange(len(data))])
    world.note(f'{world.slave.name}: a rebuild was interrupted')


@event('crash', 3, unpromoted_with_dat)
def cut_short(world):
    """The slave's disk loses the end of the file."""
    slave = world.slave
    slave.close()
    before = slave.contents().commits()
    size = os.path.getsize(slave.path)
    os.truncate(slave.path, world.rng.randrange(max(5, size - 2000), size))
    slave.book.drop(before - slave.contents().commits(), 'cut short')
    slave.tags.add('cut short')
    world.note(f'{slave.name}: cut from {size} to {os.path.getsize(slave.path)} bytes')


@event('crash', 1)
def killed(world):
    world.kill_sync()


@event('rot', 4, plain_slave)
def rot_on_slave(world):
    slave = world.slave
    slave.close()
    where = place_in_data(world, slave.path, slave.contents())
    if where is not None:
        flip(slave.path, where)
        slave.book.rotten = True
        world.note(f'{slave.name}: a bit of the data at {where} flipped')
        world.sync()
