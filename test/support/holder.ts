import { factsOfPath } from '../../src/io/facts.js';
import { Lock } from '../../src/standby/lock.js';

/** A process that takes a lock, reports it, and keeps it until it is killed: `node holder.js LOCK DIRECTORY`. */
const [path = '', directory = ''] = process.argv.slice(2);
const like = factsOfPath(directory);
if (!like) throw new Error(`${directory} is missing`);
process.stdout.write(`${Lock.take(path, like).kind}\n`);
setInterval(() => {}, 60_000);
