import { judge, type View } from '../monitor/judgement.js';
import { recordedView } from '../monitor/recorded.js';
import { visible } from '../report/quote.js';
import type { Standing } from '../report/standing.js';
import { EXIT } from '../round/exit.js';
import { masterSideByName, slavePaths } from '../standby/paths.js';
import type { Ended } from './each-storage.js';
import { readStanding, type StatusOptions } from './status.js';

/** Those of the questions of a watch that the files of a slave can answer. */
export const FILE_CHECKS = ['promotable', 'slave', 'master'] as const;
export type FileCheck = (typeof FILE_CHECKS)[number];

/** In the JSON object of `status`, with --check. */
export interface CheckAnswer {
  readonly check: FileCheck;
  readonly ok: boolean;
  readonly why: string;
}

/** As `/slave` of a watch. */
const DEFAULT_LAG_SECONDS = 60;

const ANSWERS: Readonly<Record<FileCheck, string>> = {
  promotable: 'promotable',
  slave: 'a slave that is in step',
  master: 'a promoted side with data',
};

/**
 * Answers a question of a load balancer or a cluster manager from the files of this host alone. The master is not probed: its mount may
 * hang, and whoever asks does so every few seconds.
 */
export async function checkSlave(
  check: FileCheck,
  maxAgeSeconds: number | undefined,
  options: StatusOptions,
): Promise<Ended> {
  const slave = pathOfSlave(options);
  const standing = await readStanding({ ...options, slave, master: undefined, file: undefined });
  const view: View = recordedView(standing, Date.now());
  const { ok, why } = judge(check, view, { lagSeconds: maxAgeSeconds ?? DEFAULT_LAG_SECONDS, maxAgeSeconds });
  const answer: CheckAnswer = { check, ok, why };
  const json: Standing & { check: null; answer: CheckAnswer } = { ...standing, check: null, answer };
  const line = `${visible(`${standing.slave} is ${ok ? '' : 'not '}${ANSWERS[check]}: ${why}`)}\n`;
  return ok ? { exitCode: EXIT.ok, json, out: line } : { exitCode: EXIT.refused, json, err: line };
}

/** The name of the file may be that of the master's, by its path alone. */
function pathOfSlave({ slave, master, file }: StatusOptions): string {
  const theirs = master === undefined ? undefined : masterSideByName(master, slave, file);
  return slavePaths(slave, file, theirs).data;
}
