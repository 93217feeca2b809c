"""Starts a ZEO server on a Data.fs, waits until it accepts connections, and kills it: the wait for ZEO in a takeover."""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

GIVE_UP_AFTER_SECONDS = 600


def main(path):
    with tempfile.TemporaryDirectory() as directory:
        address = os.path.join(directory, 'zeo')
        server = subprocess.Popen(
            [sys.executable, '-m', 'ZEO.runzeo', '-a', address, '-f', path],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(address, server)
        finally:
            server.send_signal(signal.SIGKILL)
            server.wait()


def wait_for(address, server):
    until = time.monotonic() + GIVE_UP_AFTER_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            sys.exit(f'ZEO ended with {server.returncode}')
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(address)
                return
            except OSError:
                time.sleep(0.01)
    sys.exit('ZEO does not listen')


main(sys.argv[1])
