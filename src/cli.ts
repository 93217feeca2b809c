#!/usr/bin/env node
import { createRequire } from 'node:module';
import { syncCommand } from './commands/sync-command.js';
import { run } from './program.js';

// cron starts a sync every minute, and most of them find nothing new. A large part of their time is spent on reading and compiling
// the program, so the other commands are a separate bundle, which is loaded only when one of them is called.
if (process.argv[2] === 'sync') run({ sync: syncCommand });
else createRequire(import.meta.url)('#every-command');
