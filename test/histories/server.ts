import { createInterface } from 'node:readline';
import { demoteUnderLock } from '../../src/commands/demote.js';
import { runPromote } from '../../src/commands/promote.js';
import { runSync } from '../../src/round/run-sync.js';
import { slavePaths } from '../../src/standby/paths.js';
import { beAlone } from '../support/alone.js';

/**
 * The program under test as one long-lived process: one question per line on stdin, one answer per line on stdout. It calls
 * the command line's functions, so that thousands of syncs need no process each.
 */
type Question =
  | { readonly what: 'sync'; readonly master: string; readonly slave: string; readonly options: object }
  | { readonly what: 'promote' | 'demote'; readonly slave: string; readonly statusFile: string };

interface Answer {
  readonly exitCode: number;
  readonly action: string;
  readonly reason: string;
}

beAlone();
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Question))}\n`);
}

/** An exception is an answer as well: the oracle reports it with its history. */
async function answer(question: Question): Promise<Answer> {
  try {
    return await run(question);
  } catch (error) {
    return { exitCode: -1, action: 'exception', reason: error instanceof Error ? `${error.stack}` : String(error) };
  }
}

async function run(question: Question): Promise<Answer> {
  if (question.what === 'sync') {
    const { exitCode, action, reason } = await runSync({
      master: question.master,
      slave: question.slave,
      ...question.options,
    });
    return { exitCode, action, reason };
  }
  if (question.what === 'demote') return runDemote(question.slave);
  const { exitCode, promoted, reason } = await runPromote({
    slave: question.slave,
    file: 'Data.fs',
    statusFile: question.statusFile,
    graceSeconds: 1,
    verify: false,
  });
  return { exitCode, action: promoted ? 'promoted' : 'not promoted', reason: reason ?? '' };
}

async function runDemote(slave: string): Promise<Answer> {
  const { exitCode, demoted, message } = await demoteUnderLock(slavePaths(slave, 'Data.fs'));
  return { exitCode, action: demoted ? 'demoted' : 'not demoted', reason: message };
}
