"""Two sides: one serves, the other one follows and takes over; what happens on both hosts before anybody comes to rejoin."""
import os
import random
import shutil

import accidents
import judge
from judge import require
from program import blobs
from reading import read, state_of
from side import Side, first_commit

# The kinds of trouble that a history may have; each draws its own.
KINDS = ('blobs', 'ties', 'skew', 'pack', 'split', 'tail', 'stale', 'kill', 'live', 'cut', 'rot', 'hands')
CHANCES = (0.35, 0.12, 0.4, 0.25, 0.3, 0.35, 0.3, 0.7, 0.6, 0.15, 0.1, 0.3)
BEGIN = 1_700_000_000
CHUNKS = ('4KiB', '64KiB', '32MiB')
HOURS = (-30, -5, -1, 0, 1, 3, 26)


def chosen(rng):
    return {kind for kind, chance in zip(KINDS, CHANCES) if rng.random() < chance}


class Takeovers:
    def __init__(self, directory, program, seed, kinds):
        os.mkdir(directory)
        self.directory, self.program, self.kinds = directory, program, kinds
        # A person's choices have a generator of their own, so that old seeds play on as they did.
        self.rng, self.person = random.Random(seed), random.Random(f'person {seed}')
        self.has_blobs, self.has_ties = 'blobs' in kinds, 'ties' in kinds
        self.now, self.number = BEGIN, 0
        # {number: Commit}, and the numbers of those of which a pack dropped something.
        self.acknowledged, self.packed = {}, set()
        self.log, self.counts = [], {}
        self.sides = [Side(self, 'a'), Side(self, 'b')]
        self.serving, self.other = self.sides
        # Packs since the two sides forked.
        self.packs, self.both_promoted, self.old_won, self.is_rotten = 0, False, False, False
        # The winner of a split brain was demoted and promoted, and may have the lower term.
        self.by_hand = False

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
        self.both_promoted = self.old_won = self.by_hand = False
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
        new.close()
        # So that it gets a new term, if it was promoted before.
        self.by_hand = self.person.random() < 0.4
        if self.by_hand:
            self.program.call('demote', old.directory, '--json')
            answer = self.program.promote(old)
        else:
            seconds = self.person.choice(['0', '20'])
            answer = self.program.promote(old, '--supersede', '--master', new.directory, '--patience', '10', '--catch-up', seconds, *blobs(new, old))
            self.count('promote --supersede')
        caught_up = answer.json.get('caughtUp')
        self.note(f"promote {old.name}, which is to win: {answer.code}, {'by hand' if self.by_hand else f'--supersede, caught up: {caught_up}'}")
        require(answer.code == 0, 'a promotion failed', answer)
        if caught_up and caught_up['transactions']:
            require(old.had <= new.had, 'a side with transactions of its own was overwritten', answer)
            judge.equal(new, old, answer)
            old.had = set(new.had)
        self.both_promoted, self.old_won = self.by_hand, True
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
        if not self.both_promoted and self.chance('hands', 0.4):
            accidents.swapped(self, self.other, self.serving)
        if self.chance('stale', 0.7):
            accidents.put_back(self, self.other)
        if self.chance('stale', 0.2):
            accidents.remove(self, self.serving, '.dat')
        if self.chance('cut', 0.6):
            accidents.cut(self, self.other)
        self.is_rotten = self.chance('rot', 0.6) and accidents.rot(self, self.other)

    def phase(self):
        role = self.other.path + '.role'
        lines = read(role).decode().splitlines() if os.path.exists(role) else []
        return ', '.join(line for line in lines if line.startswith(('role', 'rejoin'))) or 'no role'

    def ask_old(self):
        """A start script on the old master, which has learned that it is superseded, or is about to."""
        old, peer = self.other, self.serving if self.rng.random() < 0.7 else None
        old.close()
        answer = self.program.may_serve(old, peer)
        self.note(f"may-serve {old.name}{' with its peer' if peer else ''}: {answer.code}")
        # The loser may have the higher term, until its rejoin has begun.
        if (peer or old.knows) and not self.by_hand or 'role rejoining' in self.phase():
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


def remove(directory):
    shutil.rmtree(directory, ignore_errors=True)
