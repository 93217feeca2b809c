"""The program under test, one process a sync, as cron starts it. SYNCPOZO_TEST_COMMAND names another one than that built here."""
import json
import os
import signal
import subprocess
import time

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILT = ['node', os.path.join(PROJECT, 'dist', 'app', 'cli.cjs')]
HANGS_AFTER_SECONDS = 60
KILLED = -signal.SIGKILL


class Outcome:
    """`code` is KILLED after a SIGKILL; `result` is the JSON object, {} if there is none."""

    def __init__(self, code, output, errors, seconds):
        self.code, self.errors, self.seconds = code, errors, seconds
        try:
            self.result = json.loads(output)
        except ValueError:
            self.result = {}
        self.blobs = self.result.get('blobs')

    def __str__(self):
        told = f"{self.result.get('action')} ({str(self.result.get('reason'))[:120]}) blobs {self.blobs}"
        return f'exit {self.code} {told} {self.errors[-600:]}'.rstrip()


class Program:
    def __init__(self, command=None):
        self.command = command or (os.environ.get('SYNCPOZO_TEST_COMMAND') or '').split() or BUILT
        # How long a sync takes that finds something to do: the moment of a SIGKILL is drawn from it.
        self.usual_seconds = 0.3

    def sync(self, arguments, kill=None):
        """`kill(process)` may end the process; it is called once, while it runs."""
        began = time.monotonic()
        process = subprocess.Popen([*self.command, 'sync', *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if kill:
            kill(process)
        try:
            output, errors = process.communicate(timeout=HANGS_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            errors += f'\nstill running after {HANGS_AFTER_SECONDS} s'
        seconds = time.monotonic() - began
        if process.returncode == 0:
            self.usual_seconds = 0.8 * self.usual_seconds + 0.2 * seconds
        return Outcome(process.returncode, output, errors, seconds)


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)


def at_random(program, rng):
    """SIGKILL at any moment of the usual duration; mostly in its second half, behind the start of the program."""
    whole = program.usual_seconds
    seconds = rng.uniform(0, whole) if rng.random() < 0.3 else rng.uniform(0.4 * whole, 1.05 * whole)

    def kill(process):
        time.sleep(seconds)
        end(process)
    return kill


def at_bytes(program, rng, pending):
    """SIGKILL while it writes: after some of the bytes that it has to write, or a moment behind them all."""
    threshold = pending * rng.uniform(0, 1.05)
    pause = rng.choice([0, 0, rng.uniform(0, 0.003), rng.uniform(0, 0.02)])

    def kill(process):
        deadline = time.monotonic() + 3 * program.usual_seconds
        while process.poll() is None and time.monotonic() < deadline and written(process.pid) < threshold:
            time.sleep(0.0002)
        time.sleep(pause)
        end(process)
    return kill


def written(pid):
    """Bytes that a process has written so far, by all its threads."""
    try:
        with open(f'/proc/{pid}/io') as file:
            return int(next(line for line in file if line.startswith('wchar:')).split()[1])
    except (OSError, StopIteration):
        return 0
