#!/usr/bin/env node
import { createRequire } from 'node:module';
import { syncCommand } from './commands/sync-command.js';
import { run } from './program.js';

// cron starts a sync every minute, which most of the time finds nothing new. What Node has to read and compile for it is a good
// part of all it takes, so the other commands are another program, which is loaded only if one of them is called for.
if (process.argv[2] === 'sync') run({ sync: syncCommand });
else createRequire(import.meta.url)('#every-command');
