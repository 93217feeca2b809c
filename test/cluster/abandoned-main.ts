import { Network } from './support/network.js';

/** A process of tests that is killed: boots a host, prints where it is and waits. */
const network = await Network.start();
const host = network.host('m1', 1);
await host.boot();
process.stdout.write(`${JSON.stringify({ dir: network.dir, pids: [network.pid, host.pid] })}\n`);
setInterval(() => undefined, 60_000);
