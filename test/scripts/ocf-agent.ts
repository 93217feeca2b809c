import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Result, run, scripts, writeScript } from './shell.js';
import { type Instance, makeInstance } from './zeo.js';

/** Exit statuses of OCF agents. */
export const OCF = {
  success: 0,
  generic: 1,
  unimplemented: 3,
  installed: 5,
  configured: 6,
  notRunning: 7,
  promoted: 8,
  failedPromoted: 9,
} as const;

/** Pacemaker's agent on a host of its own, without a cluster: a program of the test takes the promotion scores. */
export interface Agent extends Instance {
  readonly ocf: (action: string, more?: Readonly<Record<string, string>>) => Promise<Result>;
  /** A monitor that Pacemaker repeats; otherwise it is a probe. */
  readonly monitor: () => Promise<Result>;
  /** undefined: none. */
  readonly score: () => number | undefined;
  readonly ocfEnv: Readonly<Record<string, string>>;
}

/** Runs the agent where it sees no process but its own, as the ZEO servers of other tests; and one that is named so. */
export function ocfAlone(
  { ocfEnv }: Agent,
  action: string,
  env: Readonly<Record<string, string>>,
  zeo = '',
): Promise<Result> {
  const program = `if [ -n "$ZEO" ]; then "$ZEO" & until tr '\\0' ' ' <"/proc/$!/cmdline" | grep -qF "$ZEO"; do :; done; fi; exec "$0" "$1"`;
  const args = [...ALONE, 'sh', '-c', program, agentPath, action];
  return run('unshare', args, { env: { ...ocfEnv, ...env, ZEO: zeo } });
}

const ALONE = ['--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];

export const needsAlone: string | undefined =
  spawnSync('unshare', [...ALONE, 'true']).status === 0
    ? undefined
    : 'needs the right to make a namespace of processes';

export const agentPath = join(scripts, 'pacemaker', 'zeo');

export async function makeAgent(t: TestContext, others: readonly string[] = [], agent = agentPath): Promise<Agent> {
  const instance = await makeInstance(t, others);
  const scoreFile = join(instance.dir, 'score');
  const record = `case " $* " in *" --promotion=zeo "*) ;; *) exit 1 ;; esac
while [ $# -gt 0 ]; do case $1 in -v) echo "$2" >'${scoreFile}' ;; -D) rm -f '${scoreFile}' ;; esac; shift; done`;
  writeScript(join(instance.dir, 'bin', 'crm_attribute'), record);
  const ocfEnv = {
    ...instance.env,
    OCF_ROOT: '/usr/lib/ocf',
    OCF_RESOURCE_INSTANCE: 'zeo',
    OCF_RESKEY_config: instance.env['SYNCPOZO_CONFIG'] ?? '',
    OCF_RESKEY_library: join(scripts, 'cluster'),
    OCF_RESKEY_grace: '4',
    HA_RSCTMP: join(instance.dir, 'tmp'),
    HA_SBIN_DIR: join(instance.dir, 'bin'),
  };
  const ocf: Agent['ocf'] = (action, more = {}) => run(agent, [action], { env: { ...ocfEnv, ...more } });
  return {
    ...instance,
    ocf,
    monitor: () => ocf('monitor', { OCF_RESKEY_CRM_meta_interval: '2000' }),
    score: () => (existsSync(scoreFile) ? Number(readFileSync(scoreFile, 'utf8')) : undefined),
    ocfEnv,
  };
}
