"""One random history of two sides: takeovers at random moments, the way back, and the same in the other direction."""
import os
import random
import shutil

import accidents
import judge
from judge import require
from program import KILLED
from reading import lost_files, read, state_of, write
from side import Side, first_commit

# The kinds of trouble that a history may have; each draws its own.
KINDS = ('blobs', 'ties', 'skew', 'pack', 'split', 'tail', 'stale', 'kill', 'live', 'cut', 'rot', 'hands')
CHANCES = (0.35, 0.12, 0.4, 0.25, 0.3, 0.35, 0.3, 0.7, 0.6, 0.15, 0.1, 0.3)
BEGIN = 1_700_000_000
CHUNKS = ('4KiB', '64KiB', '32MiB')
HOURS = (-30, -5, -1, 0, 1, 3, 26)


def chosen(rng):
    return {kind for kind, chance in zip(KINDS, CHANCES) if rng.random() < chance}


class World:
    def __init__(self, directory, program, seed, kinds):
        os.mkdir(directory)
        self.directory, self.program, self.kinds = directory, program, kinds
        self.rng = random.Random(seed)
        self.has_blobs, self.has_ties = 'blobs' in kinds, 'ties' in kinds
        self.now, self.number = BEGIN, 0
        # {number: Commit}, and the numbers of those of which a pack dropped something.
        self.acknowledged, self.packed = {}, set()
        self.log, self.counts = [], {}
        self.sides = [Side(self, 'a'), Side(self, 'b')]
        self.serving, self.other = self.sides
        # Packs since the two sides forked.
        self.packs, self.both_promoted, self.old_won, self.is_rotten = 0, False, False, False

    def next_number(self):
        self.number += 1
        return self.number

    def note(self, text):
        self.log.append(text)

    def count(self, what, by=1):
        self.counts[what] = self.counts.get(what, 0) + by

    def close(self):
        for side in self.sides:
            side.close()

    def chance(self, kind, probability):
        return kind in self.kinds and self.rng.random() < probability

    # The life of a site.

    def begin(self):
        first_commit(self.serving)
        self.serving.commits(self.rng.randrange(3, 40))

    def play(self, rounds, most_new):
        self.begin()
        for _ in range(rounds):
            self.serve_and_sync()
            self.take_over()
            self.between()
            self.serving_goes_on(most_new)
            self.way_back()

    def serve_and_sync(self):
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            self.serving.commits(self.rng.randrange(0, 25))
            if self.chance('pack', 0.15):
                self.note(f'{self.serving.name}: pack, {self.serving.pack()}')
            if self.chance('stale', 0.6):
                accidents.remember(self.other)
            self.sync()
        self.serving.commits(self.rng.choice([0, 0, 1, 1, 2, 5, 20, 50]))

    def sync(self):
        master, slave = self.serving, self.other
        slave.close()
        answer = self.program.sync(master, slave, '--chunk-size', self.rng.choice(CHUNKS))
        self.note(f"sync {slave.name} <- {master.name}: {answer.code} {answer.json.get('action')}")
        require(answer.code == 0, 'an ordinary sync failed', answer)
        judge.equal(master, slave, answer)
        slave.had = set(master.had)

    def take_over(self):
        old, new = self.serving, self.other
        if self.chance('stale', 0.6):
            accidents.remember(old)
        dies = self.rng.random() < 0.7
        if dies and self.chance('tail', 0.7):
            old.tail_in_flight()
            self.note(f'{old.name}: dies with a transaction in flight')
        elif dies:
            old.die()
        answer = self.program.promote(new)
        self.note(f'promote {new.name}: {answer.code}')
        require(answer.code == 0, 'a promotion failed', answer)
        if 'skew' in self.kinds:
            new.skew = 3600 * self.rng.choice(HOURS)
        self.both_promoted = self.old_won = False
        if self.chance('split', 0.8):
            self.split_brain(old, new)
        self.serving, self.other = new, old
        new.knows = False
        if self.chance('split', 0.35):
            self.old_one_wins()

    def split_brain(self, old, new):
        """Both serve; sometimes a person has promoted both."""
        if self.rng.random() < 0.5:
            old.close()
            answer = self.program.promote(old)
            self.both_promoted = True
            self.note(f'promote {old.name} as well: {answer.code}')
        if 'skew' in self.kinds:
            old.skew = 3600 * self.rng.choice(HOURS)
        for _ in range(self.rng.randrange(1, 5)):
            old.commits(self.rng.randrange(0, 8))
            new.commits(self.rng.randrange(0, 8))
        self.note(f'split brain: {old.name} and {new.name} have committed by turns')

    def old_one_wins(self):
        """A person keeps the history of the side that was not promoted first."""
        new, old = self.serving, self.other
        old.close()
        # So that it gets a new term, if it was promoted before.
        self.program.call('demote', old.directory, '--json')
        answer = self.program.promote(old)
        self.note(f'promote {old.name}, which is to win: {answer.code}')
        require(answer.code == 0, 'a promotion failed', answer)
        self.both_promoted = self.old_won = True
        new.close()
        self.serving, self.other = old, new
        old.knows = False

    def between(self):
        """What the hosts' own cron jobs and start scripts do before anybody has come."""
        self.packs = 0
        for _ in range(self.rng.randrange(0, 3)):
            self.rng.choice([self.ask_old, self.ask_new, self.round_on_old, self.round_on_new])()
        for side in self.sides:
            if self.chance('pack', 0.35):
                self.note(f'{side.name}: pack, {side.pack()}')
                self.packs += 1
        self.other.close()
        if self.chance('hands', 0.4):
            accidents.swapped(self, self.other, self.serving)
        if self.chance('stale', 0.7):
            accidents.put_back(self, self.other)
        if self.chance('stale', 0.2):
            accidents.remove(self, self.serving, '.dat')
        if self.chance('cut', 0.6):
            accidents.cut(self, self.other)
        self.is_rotten = self.chance('rot', 0.6) and accidents.rot(self, self.other)

    def ask_old(self):
        """A start script on the old master, which has learned that it is superseded, or is about to."""
        old, peer = self.other, self.serving if self.rng.random() < 0.7 else None
        old.close()
        answer = self.program.may_serve(old, peer)
        self.note(f"may-serve {old.name}{' with its peer' if peer else ''}: {answer.code}")
        # The loser of a split brain may have the higher term, until its rejoin has begun.
        if (peer or old.knows) and not self.old_won or 'role rejoining' in self.phase():
            require(answer.code == 3, 'a superseded side may serve', answer)
            old.knows = True

    def ask_new(self):
        answer = self.program.may_serve(self.serving, self.other)
        self.note(f'may-serve {self.serving.name}: {answer.code}')
        # Both were promoted in the same term: a person decides.
        require(answer.code == 0 or self.both_promoted and answer.code == 3, 'the promoted side may not serve', answer)

    def round_on_old(self):
        """Its cron job goes on in the old direction: the new master has to stay as it is."""
        before = state_of(self.serving.directory)[os.path.basename(self.serving.path)]
        answer = self.program.sync(self.other, self.serving)
        self.note(f'sync in the old direction: {answer.code}')
        after = state_of(self.serving.directory)[os.path.basename(self.serving.path)]
        require(before == after, 'a sync changed the serving side', answer)

    def round_on_new(self):
        """A sync in the new direction, without a rejoin: nothing of the old master's own may go."""
        self.other.close()
        own = self.other.had - self.serving.had
        before = read(self.other.path)
        answer = self.program.sync(self.serving, self.other)
        self.note(f'sync in the new direction: {answer.code}')
        if own:
            is_off = answer.json.get('action') == 'off'
            require(answer.code == 3 or is_off, 'a sync of an old master with transactions of its own was not refused', answer)
            require(read(self.other.path) == before, 'a sync wrote an old master', answer)
        judge.nothing_lost(self, judge.anywhere(self))

    def serving_goes_on(self, most_new):
        if self.chance('hands', 0.3):
            self.serving.commits(self.rng.randrange(4))
            accidents.second_term(self, self.serving)
        self.serving.commits(self.rng.choice([0, 0, 1, 3, 30, self.rng.randrange(most_new + 1)]))

    # The way back.

    def way_back(self):
        master, slave = self.serving, self.other
        slave.close()
        rejoin = judge.Rejoin(self, master, slave)
        self.note(f'the way back of {slave.name}: {len(rejoin.expected())} lost, {rejoin.difference()} bytes new')
        self.count('transactions that were lost', len(rejoin.expected()))
        if self.rng.random() < 0.3:
            self.dry_run(rejoin)
        kills = self.kill_some(rejoin) if 'kill' in self.kinds else 0
        answer = self.finish(rejoin, kills)
        slave.had, slave.knows = set(master.had), True
        self.after(answer)

    def dry_run(self, rejoin):
        before = {side: state_of(side.directory) for side in self.sides}
        answer = self.program.rejoin(self.serving, self.other, '--dry-run')
        self.note(f'dry run: {answer.code}')
        judge.untouched(before[self.serving], self.serving, answer)
        after = state_of(self.other.directory)
        changed = [name for name in {*before[self.other], *after} if not name.endswith('.lock') and before[self.other].get(name) != after.get(name)]
        require(not changed, 'a dry run changed files', f'{changed}\n{answer}')
        if answer.code == 0 and not self.packs:
            judge.reported(rejoin, answer)

    def kill_some(self, rejoin):
        killed = 0
        for _ in range(self.rng.randrange(0, 4)):
            before = state_of(self.serving.directory)
            answer = self.program.killed_rejoin(self.rng, self.serving, self.other)
            judge.untouched(before, self.serving, answer)
            rejoin.after_kill()
            killed += 1
            self.note(f"rejoin {'killed' if answer.code == KILLED else answer.code}: {self.phase()}")
            self.count('rejoins killed')
            self.in_the_middle(rejoin)
            if self.chance('live', 0.5):
                self.serving.commits(self.rng.randrange(0, 10))
            if self.chance('pack', 0.2):
                self.note(f'{self.serving.name}: pack in the middle, {self.serving.pack()}')
                self.packs += 1
        return killed

    def phase(self):
        role = self.other.path + '.role'
        lines = read(role).decode().splitlines() if os.path.exists(role) else []
        return ', '.join(line for line in lines if line.startswith(('role', 'rejoin'))) or 'no role'

    def in_the_middle(self, rejoin):
        """Of a rejoin that was killed: start scripts and cron jobs of both hosts."""
        began = 'role rejoining' in self.phase() or 'role slave' in self.phase()
        if self.rng.random() < 0.6:
            self.other.knows = self.other.knows or began
            self.ask_old()
        if self.rng.random() < 0.2:
            self.round_on_old()
        if self.rng.random() < 0.2:
            answer = self.program.sync(self.serving, self.other)
            self.note(f"a sync in the middle: {answer.code} {answer.json.get('action')}")
            # It had nothing of its own, and has followed, over a pack as well.
            rejoin.followed = rejoin.followed or answer.code == 0
            judge.nothing_lost(self, judge.anywhere(self))

    def finish(self, rejoin, kills):
        """The run that nobody kills; with --full if a pack forbids the short way."""
        master, slave = self.serving, self.other
        before, own = state_of(master.directory), state_of(slave.directory)
        difference = rejoin.difference()
        answer, count, log = self.program.counted_rejoin(master, slave)
        self.note(f"rejoin {slave.name} <- {master.name}: {answer.code} {answer.json.get('action')}, {count} bytes read of {difference}")
        judge.untouched(before, master, answer)
        if answer.code == 3 and (self.packs or self.old_won) or answer.code in (3, 4) and self.is_rotten:
            judge.only_notes_changed(own, slave, answer)
            return self.finish_full(rejoin)
        require(answer.code == 0, 'a rejoin failed', answer)
        require(rejoin.followed or rejoin.is_common_history_equal(), 'a rejoin without --full beside a pack', answer)
        rejoin.done(answer, exact=not self.packs and not self.is_rotten)
        judge.equal(master, slave, answer)
        if kills == 0 and not self.packs and not self.is_rotten:
            judge.reported(rejoin, answer)
            # A stale claim, a piece that was cut, or another transaction of the same tid at the fork costs some more.
            if not self.kinds & {'stale', 'ties', 'cut'}:
                judge.within_budget(rejoin, difference, count, log, answer)
        self.count(f"rejoin: {answer.json.get('action')}")
        return answer

    def finish_full(self, rejoin):
        """After a pack, or beside rot."""
        before, data = state_of(self.serving.directory), read(self.other.path)
        answer = self.program.rejoin(self.serving, self.other, '--full')
        self.note(f"rejoin --full: {answer.code} {answer.json.get('action')}")
        judge.untouched(before, self.serving, answer)
        if answer.code == 4 and self.is_rotten:
            return self.set_aside(rejoin, data, answer)
        require(answer.code == 0, 'a rejoin --full failed', answer)
        rejoin.done(answer, exact=False)
        judge.equal(self.serving, self.other, answer)
        self.count('rejoin: --full')
        return answer

    def set_aside(self, rejoin, data, answer):
        """Nobody can know which side is right: a person moves the rotten file away, with all that only it has."""
        require(read(self.other.path) == data, 'a refusal changed the data', answer)
        os.rename(self.other.path, os.path.join(self.directory, f'rotten-{self.number}'))
        self.packed |= {each.commit for each in rejoin.expected()}
        answer = self.program.rejoin(self.serving, self.other, '--full')
        self.note(f"rejoin --full without the rotten file: {answer.code} {answer.json.get('action')}")
        require(answer.code == 0, 'a rejoin --full failed, without any file', answer)
        judge.equal(self.serving, self.other, answer)
        self.count('rejoin: rotten')
        return answer

    def after(self, answer):
        """From here on the ordinary sync goes on."""
        if self.rng.random() < 0.5:
            self.ask_old()
        lost = lost_files(self.other.directory)
        self.serving.commits(self.rng.randrange(0, 6))
        self.sync()
        judge.serves(self.other, answer)
        require(lost <= lost_files(self.other.directory), 'a sync removed a lost file', answer)
        judge.nothing_lost(self, judge.serving_or_lost(self, self.serving))
        if not self.has_blobs or self.rng.random() < 0.5:
            return
        # The lost file has its own blobs: the ordinary life of the tree does not touch them.
        self.sync()


def remove(directory):
    shutil.rmtree(directory, ignore_errors=True)
