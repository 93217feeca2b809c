"""
The one oracle. It knows all commits (the books of host.py) and reads files by byte search and by ZODB's own iterator; it
shares no code with the program, and in particular not its definition of a pack.
"""
import os
import re

from files import Snapshot, loads, shown

# The program may record a refusal in its own small files; a refusal must not change any other file.
SMALL_FILES = ('.dat', '.role', '.scrub', '.lock', '.refusal', '.outcome', '.events', '.new')


class Violation(Exception):
    """`rule` and `cause` name the row of the table; the rest of the message is for people."""

    def __init__(self, rule, cause, detail):
        super().__init__(f'{rule} ({cause}): {detail}')
        self.rule, self.cause = rule, cause


class Round:
    """One call of the program on a slave, between two snapshots of the slave's directory."""

    def __init__(self, slave, source, name):
        self.slave, self.source, self.name = slave, source, name
        self.before = Snapshot(slave.directory)
        self.source_contents = source.contents()
        self.source_bytes = source.committed_bytes()
        self.held = {each.commit for each in transactions_of(self.before.contents.get('Data.fs')) if is_as_committed(slave.world, each)}
        self.held.discard(None)
        self.answer = self.after = None

    def end(self, answer):
        self.answer = answer
        self.after = Snapshot(self.slave.directory)
        if answer['exitCode'] not in (0, 1, 3, 4, 5):
            self.fail('exception', answer['reason'][:600])

    @property
    def code(self):
        return self.answer['exitCode']

    def what(self):
        return f"{self.name} {self.answer['action']} {self.code}"

    def fail(self, rule, detail='', cause=None):
        reason = self.answer['reason'][:200]
        raise Violation(rule, f'{cause}; {self.what()}' if cause else self.what(), f'{detail}; answer: {self.code} {reason}')

    def tags(self):
        return ', '.join(sorted(self.source.tags | self.slave.tags)) or 'nothing'

    def changed(self, names):
        return [name for name in names if self.before.bytes.get(name) != self.after.bytes.get(name)]

    def data_changed(self):
        return bool(self.changed(['Data.fs']))

    def is_innocent(self):
        """By the history's books, the source is a true continuation of the slave's content."""
        source, slave = self.source, self.slave
        # A site that has no object left after a pack does not count as one.
        complete = (source.exists() and not source.book.rotten and not self.source_contents.error and self.source_contents.revisions()
                 and not has_what_nobody_committed(slave.world, self.source_contents))
        # A `.dat` with a flipped bit may be that of a promoted slave, unless the role is in its own file.
        unknown_role = 'dat flipped' in slave.tags and 'Data.fs.role' not in self.before.bytes
        return (complete and not slave.book.rotten and not unknown_role and not self.is_unknown_to_a_pack() and not self.is_torn_of_its_own()
                and not has_what_nobody_committed(slave.world, self.before.contents.get('Data.fs'))
                and self.held <= source.book.lineage and slave.promotions <= source.promotions)

    def is_torn_of_its_own(self):
        """
        A transaction of the slave's own was cut in two: what is left of it, behind the claim, shows nothing that a server would,
        and no batch of the program looks like it. An operator decides.
        """
        claim = re.search(rb'^claim (\d+) ', self.before.bytes.get('Data.fs.dat', b''), re.MULTILINE)
        return 'cut short' in self.slave.tags and claim is not None and int(claim[1]) < len(self.before.data() or b'')

    def is_unknown_to_a_pack(self):
        """
        Some of the slave's content is not recorded, and the source does not begin with it: unless the packed file
        shows it, only this book knows that the source ever had it. An operator decides (docs/reliability.md).
        """
        slave = self.slave.tags
        begins = self.source_bytes.startswith(shown(self.before.data() or b''))
        # A standing refusal is lifted by bytes that continue the slave's, not by a pack that might explain others.
        if self.slave.refused and ('cut short' in slave or not begins):
            return True
        # An old master that becomes a slave has no `.dat`.
        unrecorded = slave & {'.dat of an older moment', 'dat flipped', 'broken batch'} or 'Data.fs.dat' not in self.before.bytes
        return bool(unrecorded) and ('cut short' in slave or not begins)

    def same_transactions_differ(self):
        """
        The slave and the source have the same tid with other texts or data, or fsrecover made up a transaction of the source:
        the program sees rot of one of them. Moving the slave aside decides.
        """
        revisions = self.source_contents.revisions()
        return (self.tids_given_twice()
                or any(revisions.get(revision, data) != data for revision, data in self.before.revisions().items())
                or has_what_nobody_committed(self.slave.world, self.source_contents))

    def tids_given_twice(self):
        """The slave and the source have another commit under the same tid."""
        theirs = {each.tid: each.commit for each in self.source_contents.transactions}
        return any(theirs.get(each.tid, each.commit) != each.commit for each in transactions_of(self.before.contents.get('Data.fs')))

    def packs_were_undone(self):
        """The source has records in a packed transaction that the slave has without them."""
        theirs = {each.tid: {oid for oid, _ in each.sequence} for each in self.source_contents.transactions}
        return any(each.status == 'p' and theirs.get(each.tid, set()) - {oid for oid, _ in each.sequence}
                   for each in transactions_of(self.before.contents.get('Data.fs')))

    # The rules.

    def nothing_lost(self, decided):
        """No marker of the slave's directory has vanished, unless the source has decided on its commit."""
        known = self.slave.world.committed
        decided = decided | self.held_altered_only()
        vanished = [
            marker for marker in self.before.markers() - self.after.markers()
            if commit_of(marker) in known and commit_of(marker) not in decided
        ]
        if vanished:
            self.fail_lost('destroyed', {commit_of(marker) for marker in vanished}, sorted(vanished)[:6])
        after = self.after.transactions()
        for (tid, commit), versions in self.before.transactions().items():
            if commit is None or commit in decided:
                continue
            for records in versions:
                if not any(records <= found for found in after.get((tid, commit), [])):
                    self.fail_lost('unreadable', {commit}, f'T{commit:06d} {tid.hex()} is in no file that ZODB reads')

    def committed_on_source(self):
        """Commits that the source's file still has as they were committed, also some that its book lost to a repair."""
        return {each.commit for each in transactions_of(self.source_contents) if is_as_committed(self.slave.world, each)}

    def held_altered_only(self):
        """Commits that no file of the slave's holds unchanged: what fsrecover left of them does not count."""
        held = [each for contents in self.before.contents.values() for each in contents.transactions]
        intact = {each.commit for each in held if is_as_committed(self.slave.world, each)}
        return {each.commit for each in held} - intact

    def fail_lost(self, rule, commits, detail):
        book = self.source.book
        reasons = sorted({book.removed.get(commit, 'fork') for commit in commits})
        if self.slave.refused:
            reasons.append('after a refusal')
        elif self.slave.damage_reported:
            reasons.append('after a report of damage')
        elif commits <= book.holes:
            return self.slave.world.count(f'lost with objects that fsrecover took away: no file shows it ({rule})')
        return self.fail(rule, f'{len(commits)} commits, {detail}', ', '.join(reasons))

    def source_untouched(self):
        if self.source.committed_bytes() != self.source_bytes:
            self.fail('the source was written')

    def refusal_changes_nothing(self):
        names = set(self.before.bytes) | set(self.after.bytes)
        changed = self.changed([name for name in sorted(names) if not name.endswith(SMALL_FILES)])
        if changed:
            self.fail('a refusal changed files', changed)

    def equals_source(self):
        ours, theirs = self.after.data() or b'', self.source_bytes
        if ours != theirs:
            same = len(os.path.commonprefix([ours, theirs]))
            self.fail('exit 0, not equal to the source', f'{len(ours)} and {len(theirs)} bytes, equal up to {same}')

    def no_rot_copied(self):
        """A record that was right on the slave is right afterwards, or a pack dropped it."""
        after = self.after.revisions()
        good = self.slave.world.data
        for (tid, oid), data in self.before.revisions().items():
            if data in good and after.get((tid, oid), data) not in good:
                self.fail('rot copied over good data', f'{tid.hex()} {oid.hex()}')

    def serves(self):
        """FileStorage serves every object with the file's content, with the index beside the file."""
        if self.source.book.rotten and self.after.contents['Data.fs'].error:
            return
        newest = {}
        for transaction in self.after.contents['Data.fs'].transactions:
            newest.update(transaction.sequence)
        try:
            served = loads(self.slave.path)
        except Exception as error:
            self.fail('FileStorage does not open the slave', repr(error))
        for oid, data in newest.items():
            if served.get(oid) != data:
                self.fail('FileStorage serves wrong data', oid.hex())

    def judge_sync(self, full):
        """All rules for a sync of a slave that is not promoted."""
        source, slave, code = self.source, self.slave, self.code
        innocent = self.is_innocent()
        # While a refusal stands, the slave's own transactions include those that a pack would have dropped.
        self.nothing_lost(source.book.lineage if slave.refused else source.book.lineage | source.book.pardoned)
        self.no_rot_copied()
        if code == 3:
            self.refusal_changes_nothing()
        if full:
            # A side that was copied while rotten differs from one that was repaired since: the hashes name the latter as changed.
            damaged = code == 4 and (
                source.book.rotten or self.source_contents.error or 'rot' in slave.world.kinds or self.same_transactions_differ())
            superseded = code == 3 and not slave.promotions <= source.promotions
            if code != 0 and not damaged and not superseded:
                self.fail('--full failed')
        elif innocent and code != 0:
            # A wrong mount was refused; the right one is back, and was packed meanwhile: the files alone may not show it.
            if slave.refused and code == 3 and any(tag.startswith('pack') for tag in source.tags):
                slave.world.count('an innocent that was packed during a refusal stays refused')
            # Another site with the same tids in the same places is a damaged master, by the hashes; a cut slave shows no more.
            elif code == 4 and slave.damage_reported and 'foreign' in source.tags | slave.tags and 'ties' in slave.world.kinds:
                slave.world.count('another site with the same tids stays a damaged master')
            # A pack or fsrecover dropped the newest transaction, and the clock of this test gave its tid to another commit.
            elif ('fsrecover' in source.tags or 'ties' in slave.world.kinds) and self.tids_given_twice():
                slave.world.count('a tid that the master gave twice is refused')
            # A pack took records out of a transaction, the newer ones were lost, and a backup brought the first ones back.
            elif code == 4 and 'restore' in source.tags and self.packs_were_undone():
                slave.world.count('a master restored to a state before its pack stays damaged')
            else:
                self.fail('an innocent was not synced', cause=self.tags())
        elif code == 0 and slave.refused and not self.held <= source.book.lineage | self.committed_on_source():
            self.fail('a refusal was lifted', sorted(self.held - source.book.lineage), self.tags())
        if code == 0:
            if not source.book.rotten:
                self.equals_source()
            self.serves()
        if self.after.kept() - self.before.kept():
            slave.world.count(f"kept ({'innocent' if innocent else 'guilty'}{', --full' if full else ''}): {self.tags()}")


def commit_of(marker):
    return int(marker[2:8])


def transactions_of(contents):
    return contents.transactions if contents else []


def is_as_committed(world, transaction):
    """True unless fsrecover kept a transaction whose tid or record had rotted: then it is another one. A pack may remove records."""
    if transaction.commit not in world.committed:
        return True
    tid, oids = world.committed[transaction.commit]
    found = {oid for oid, _ in transaction.sequence}
    return transaction.tid == tid and (found == oids or transaction.status == 'p' and found < oids) and world.data.issuperset(
        data for _, data in transaction.sequence)


def has_what_nobody_committed(world, contents):
    """No continuation of the site has it."""
    return not all(is_as_committed(world, each) for each in transactions_of(contents))
