"""Events of every site: commits, packs, syncs beside both, and syncs that are killed."""
import os
import time
from importlib import import_module

import program as programs
from chances import event
from persistent.TimeStamp import TimeStamp
from writer import Vote

# The module; the package has the class under the same name.
filestorage = import_module('ZODB.FileStorage.FileStorage')


@event('', 30)
def commit(world):
    world.commit(world.rng.choice([1, 1, 2, 3, 6]))


@event('', 22)
def sync(world):
    world.sync()


@event('', 6)
def in_flight(world):
    """A sync between a vote and its end: the blob's final name is there, the transaction is not."""
    vote = Vote(world.writer)
    for _ in range(world.rng.choice([1, 2])):
        vote.store()
    vote.vote()
    finishes = world.rng.random() < 0.5
    world.note('vote')
    try:
        world.sync()
    finally:
        vote.finish() if finishes else vote.abort()
        world.note('finished' if finishes else 'aborted')


@event('full', 5)
def full(world):
    world.sync('--full')


def pack_seconds(world):
    """Now, or the time of a transaction."""
    if world.rng.random() < 0.5 or not world.registry.tids:
        return time.time()
    return TimeStamp(world.rng.choice(world.registry.tids)).timeTime() + 1e-6


def pack_once(world, seconds, gc, keep_old):
    try:
        world.server.pack(seconds, gc, keep_old)
        return 'done'
    except Exception as error:
        # ZODB's packer gives up at some undos, and where the file part is made to fail; Data.fs may be packed all the same.
        return f'failed: {type(error).__name__}'


def drawn_pack(world):
    rng = world.rng
    gc, keep_old = rng.random() < 0.7, rng.random() < 0.5
    return pack_seconds(world), gc, keep_old


def described(gc, keep_old):
    return f"pack{' with gc' if gc else ''}{', old files kept' if keep_old else ''}"


@event('pack', 11)
def pack(world):
    for _ in range(world.rng.choice([1, 1, 1, 2])):
        seconds, gc, keep_old = drawn_pack(world)
        world.note(f'{described(gc, keep_old)}: {pack_once(world, seconds, gc, keep_old)}')


@event('pack', 2, lambda world: world.storage_kind in ('file', 'zlib'))
def pack_without_its_file_part(world):
    """As with a `blobstorage.old` on another volume: Data.fs is packed, the blobs are not."""
    def fails():
        raise OSError('no rename across volumes')
    storage = world.server.storage
    storage._remove_blob_files_tagged_for_removal_during_pack = fails
    try:
        world.note(f'pack without its file part: {pack_once(world, *drawn_pack(world))}')
    finally:
        del storage._remove_blob_files_tagged_for_removal_during_pack


def writing(world):
    """Commits until it is over."""
    def work(over):
        while not over.is_set():
            world.note(f'  beside: {world.writer.step()}')
            over.wait(world.writer.rng.choice([0, 0, 0.005, 0.03]))
            yield
    return work


def packing(world, writes):
    """A pack that begins at any moment of a sync, with commits around it; its file part is slow, as on a large site."""
    rng, drawn = world.rng, drawn_pack(world)
    begin, pause = rng.uniform(0.2, 1) * world.program.usual_seconds, rng.choice([0, 0.001, 0.01])

    def work(over):
        for _ in writing(world)(over) if writes else ():
            begin_now = rng.random() < 0.2
            if begin_now:
                break
            yield
        over.wait(begin)
        with slow_removal(pause):
            world.note(f'  beside: {described(*drawn[1:])}: {pack_once(world, *drawn)}')
        yield
        yield from writing(world)(over) if writes else ()
    return work


class slow_removal:
    """ZODB's removal of blobs after a pack, with a pause before each; a ZEO server has its own."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.saved = filestorage.remove_committed, filestorage.remove_committed_dir
        filestorage.remove_committed, filestorage.remove_committed_dir = map(self.slowed, self.saved)

    def __exit__(self, *error):
        filestorage.remove_committed, filestorage.remove_committed_dir = self.saved

    def slowed(self, function):
        def call(path):
            time.sleep(self.seconds)
            function(path)
        return call


@event('beside', 7)
def sync_while_writing(world):
    world.sync(beside=writing(world))
    if world.rng.random() < 0.5:
        world.sync()


@event('beside pack', 8)
def sync_while_packing(world):
    world.commit(world.rng.choice([0, 2, 4]))
    if world.rng.random() < 0.7:
        world.writer.supersede()
    world.sync(beside=packing(world, world.rng.random() < 0.5), packs=True)
    if world.rng.random() < 0.7:
        world.sync()


def killer(world):
    if world.rng.random() < 0.35:
        return programs.at_random(world.program, world.rng)
    master, slave = world.master_tree(), world.slave_tree()
    pending = sum(master.entries[name].size for key, name in master.blobs.items() if key not in slave.blobs)
    return programs.at_bytes(world.program, world.rng, pending + os.path.getsize(world.master))


@event('kill', 16)
def killed_sync(world):
    """Once or more; then a sync that has to succeed."""
    rng = world.rng
    if 'pack' in world.kinds and rng.random() < 0.4:
        world.writer.supersede()
        world.sync()
        pack(world)
    world.commit(rng.choice([0, 2, 5]))
    for _ in range(rng.choice([1, 2, 2, 4])):
        options = ['--full'] if 'full' in world.kinds and rng.random() < 0.2 else []
        beside = None
        if 'beside' in world.kinds and rng.random() < 0.3:
            beside = packing(world, False) if 'pack' in world.kinds and rng.random() < 0.5 else writing(world)
        world.sync(*options, kill=killer(world), beside=beside, packs=beside is not None)
        if rng.random() < 0.3:
            world.commit(1)
    if rng.random() < 0.7:
        world.sync()
