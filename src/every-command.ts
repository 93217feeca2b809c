import { COMMANDS } from './command-table.js';
import { run } from './program.js';

run(COMMANDS);
