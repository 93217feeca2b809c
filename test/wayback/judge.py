"""
What the way back promises, and nothing of how it is done. Each rule compares files with the writers' book (side.py) or with
what ZODB read of a file before.
"""
import json
import os

from ZODB.blob import LAYOUTS
from ZODB.fsIndex import fsIndex

from reading import MARKER, committed_bytes, data_files, loads, lost_files, read, state_of, transactions

# Bytes of the serving side's Data.fs that a rejoin may read, of each byte that differs; and the few that it needs to see that
# there is nothing more. With a difference of 4 kB both are the same.
READ_BUDGET = 1.05
LEAST_BUDGET = 200
# Files that a refusal may write, beside the old master's data.
NOTES = ('.role', '.lock', '.outcome', '.events')


class Violation(Exception):
    pass


def require(condition, rule, detail=''):
    if not condition:
        raise Violation(f'{rule}: {str(detail)[:6000]}')


def nothing_lost(world, places, rule='an acknowledged transaction is nowhere'):
    """In `places`, paths of files, is every commit that no pack of its own site has changed: as bytes, and to ZODB's iterator."""
    markers = {marker for path in places for marker in MARKER.findall(read(path))}
    shown = {}
    for path in places:
        for each in transactions(path):
            shown.setdefault(each.commit, []).append(each)
    for number, commit in world.acknowledged.items():
        if number in world.packed:
            continue
        wanted = {commit.note.encode(), *(found for data in commit.stored.values() for found in MARKER.findall(data))}
        require(wanted <= markers, rule, f'{commit.note} of tid {commit.tid.hex()}, bytes {sorted(wanted - markers)}; in {places}')
        found = [each for each in shown.get(number, []) if each.tid == commit.tid]
        require(any(commit.stored.items() <= dict(each.sequence).items() for each in found), rule,
                f'{commit.note} of tid {commit.tid.hex()} is not what was committed: {found}')


def anywhere(world):
    return [path for side in world.sides for path in data_files(side.directory)]


def serving_or_lost(world, serving):
    return [serving.path] + [
        os.path.join(side.directory, name) for side in world.sides for name in lost_files(side.directory)]


class Rejoin:
    """What both sides were before a rejoin, which may be killed and repeated; the master may go on meanwhile."""

    def __init__(self, world, master, slave):
        self.world, self.master, self.slave = world, master, slave
        self.old = transactions(slave.path)
        self.old_bytes = committed_bytes(slave.path)
        self.old_files = lost_files(slave.directory)
        self.only_here = slave.had - master.had
        # An ordinary sync has made it a slave since.
        self.followed = False

    def expected(self):
        return [each for each in self.old if each.commit in self.only_here]

    def fork(self):
        """Where the histories part, by ZODB's reading of both files."""
        position = 4
        for ours, theirs in zip(self.old, transactions(self.master.path)):
            if not ours.is_like(theirs):
                break
            position = ours.end
        return position

    def is_common_history_equal(self):
        """Not so after a pack of one side."""
        fork = self.fork()
        return all(each.end <= fork for each in self.old if each.commit in self.master.had)

    def difference(self):
        return len(committed_bytes(self.master.path)) - self.fork()

    def after_kill(self):
        nothing_lost(self.world, anywhere(self.world), 'a killed rejoin lost an acknowledged transaction')

    def done(self, answer, exact=True):
        """`exact`: no pack has touched either side, so that the lost file has neither less nor more than the book."""
        master, slave = self.master, self.slave
        nothing_lost(self.world, serving_or_lost(self.world, master))
        self.lost_file(answer, exact)
        require(committed_bytes(master.path).startswith(read(slave.path)), 'the slave is no copy of the master after a rejoin', answer)
        serves(slave, answer)

    def lost_file(self, answer, exact):
        expected, directory = self.expected(), self.slave.directory
        new = sorted(lost_files(directory) - self.old_files)
        if not expected and exact:
            return require(not new, 'a lost file, but nothing was lost', f'{new}\n{answer}')
        found = [each for name in new for each in transactions(os.path.join(directory, name))]
        for each in expected:
            require(any(each.is_like(other) for other in found), 'a lost transaction is not in the lost file as it was', f'{each}\n{answer}')
        for each in found:
            require(any(each.is_like(other) for other in self.old), 'the lost file has what the old master never had', f'{each}\n{answer}')
        if not exact:
            return
        require(len(new) == 1 and [each.tid for each in found] == [each.tid for each in expected],
                'the lost file is not exactly what only the old master had', f'{found}, expected {expected}\n{answer}')
        stem = os.path.join(directory, new[0][:-len('.fs')])
        require(new[0] == f'lost-{expected[0].tid.hex()}-{expected[-1].tid.hex()}.fs', 'the name of the lost file', new)
        loads(stem + '.fs')
        for suffix in ('.json', '.txt'):
            require(os.path.exists(stem + suffix), 'no report beside the lost file', stem + suffix)
        report = json.loads(read(stem + '.json'))
        require(len(report['transactions']) == len(expected), 'the report counts other transactions', report)
        self.lost_blobs(stem + '.blobs', expected)

    def lost_blobs(self, directory, expected):
        for each in expected:
            # The server may have died after it had committed, and before it said so.
            commit = self.world.acknowledged.get(each.commit)
            for oid, content in commit.blobs.items() if commit else ():
                path = os.path.join(directory, LAYOUTS['bushy'].getBlobFilePath(oid, each.tid))
                require(os.path.exists(path) and read(path) == content, 'the blob of a lost transaction is gone', path)


def reported(rejoin, answer):
    """The answer of a run that was not killed says what was lost."""
    lost = answer.json.get('lost')
    count = lost['transactions'] if lost else 0
    require(count == len(rejoin.expected()), 'the answer counts other lost transactions', f'{len(rejoin.expected())} are lost\n{answer}')


def within_budget(rejoin, difference, count, log, answer):
    require(count <= max(READ_BUDGET * difference, difference + LEAST_BUDGET), f'{count} bytes were read of the serving side for a difference of {difference}', f'{log}\n{answer}')


def serves(side, answer):
    """Real ZODB opens it with the index beside it, and every object and every blob is there."""
    newest = {}
    all_of_it = transactions(side.path)
    for each in all_of_it:
        newest.update(each.sequence)
    # A small file has none.
    if os.path.exists(side.path + '.index'):
        index = fsIndex.load(side.path + '.index')
        require(index and index['pos'] <= os.path.getsize(side.path), 'the index is of another file', answer)
    served = loads(side.path)
    wrong = [oid.hex() for oid, data in newest.items() if served.get(oid) != data]
    require(not wrong, 'ZODB serves other objects than the file has', f'{wrong}\n{answer}')
    if side.blobs:
        for each in all_of_it:
            for oid, content in blobs_of(side.world, each):
                path = os.path.join(side.blobs, LAYOUTS['bushy'].getBlobFilePath(oid, each.tid))
                require(os.path.exists(path) and read(path) == content, 'a blob of the slave is not what was committed', f'{path}\n{answer}')


def blobs_of(world, transaction):
    commit = world.acknowledged.get(transaction.commit)
    if commit is None:
        return []
    kept = {oid for oid, _ in transaction.sequence}
    return [(oid, content) for oid, content in commit.blobs.items() if oid in kept]


def only_notes_changed(before, side, answer):
    """A refusal changes nothing else."""
    after = state_of(side.directory)
    changed = [name for name in {*before, *after} if not name.endswith(NOTES) and before.get(name, [0])[0] != after.get(name, [0])[0]]
    require(not changed, 'a refusal changed files', f'{changed}\n{answer}')


def equal(master, slave, answer):
    require(committed_bytes(master.path) == read(slave.path), 'the two sides are not equal', answer)


def untouched(before, master, answer):
    after = state_of(master.directory)
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    require(not changed, "the serving side's directory was changed", f'{changed}\n{answer}')
