import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeScript } from '../../scripts/shell.js';
import { giveRole } from '../../scripts/zeo.js';
import { type Files, LAST, LAST_COMMAND, type Program, type Scene } from './play.js';

/** The shell's side of a takeover: the switch, and the note that this side serves without a promotion. */

const SWITCH = 'status';
const [ON, OFF] = ['SYNCING=1\n', 'SYNCING=0\n'];

/** A text for a shell that has the library, and a storage without a role of a server. */
function shell(root: string, scripts: string, text: string): Program {
  const at = join(root, 'at');
  mkdirSync(at, { recursive: true });
  giveRole(join(root, 'Data.fs'), 'slave');
  const library = `cluster_lib='${scripts}/cluster'; . "$cluster_lib/cluster.sh"; . "$cluster_lib/switch.sh"`;
  const storage = `configuration=none data='${root}/Data.fs' switch='${at}/${SWITCH}'`;
  const command = ['sh', '-c', `${library}\n${storage}\n${text}\n${LAST_COMMAND}`];
  return { directories: [at], command, env: { SYNCPOZO_SYSLOG: 'no' }, promise: LAST };
}

function switchScene(name: string, before: string | undefined, text: string, after: string): Scene {
  return {
    name: `the switch: ${name}`,
    scripts: ['cluster/replace.sh', 'cluster/switch.sh'],
    prepare(root, scripts) {
      mkdirSync(join(root, 'at'));
      if (before !== undefined) writeFileSync(join(root, 'at', SWITCH), before);
      return shell(root, scripts, text);
    },
    judge: (left, promised) => switchProblem(left, promised, before, after),
  };
}

/** A sync takes a missing file for on, and stops with a fault at anything that is neither. */
function switchProblem(left: Files, promised: boolean, before: string | undefined, after: string): string | undefined {
  const found = left.get(SWITCH);
  if (found === after || (!promised && found === before)) return undefined;
  return `the switch is ${JSON.stringify(found)}`;
}

/** As a start leaves it that was killed, or a person with an editor: seen by all, and not on the disk. */
const seenOff: Scene = {
  name: 'the switch: off already, and not on the disk',
  scripts: ['cluster/switch.sh'],
  prepare(root, scripts) {
    mkdirSync(join(root, 'at'));
    writeFileSync(join(root, 'at', SWITCH), ON);
    return shell(root, scripts, `echo SYNCING=0 >"$switch.new" && mv "$switch.new" "$switch"\nswitch_off`);
  },
  judge: (left, promised) => (promised ? switchProblem(left, true, ON, OFF) : undefined),
};

/** `zeo start` on a slave with a syncpozo that does not work, up to the start of ZEO, which fails. `old`: a note of an earlier one. */
function startScene(old: boolean): Scene {
  return {
    name: `a takeover without syncpozo${old ? ', the second one' : ''}`,
    scripts: ['cluster/replace.sh', 'cluster/server.sh', 'cluster/switch.sh', 'cluster/zeo'],
    prepare(root, scripts) {
      const [at, run] = [join(root, 'at'), join(root, 'run')];
      for (const path of [at, run]) mkdirSync(path);
      const data = join(at, 'Data.fs');
      giveRole(data, 'slave');
      writeFileSync(join(at, SWITCH), ON);
      if (old) writeFileSync(`${data}.unpromoted`, 'long ago\n');
      const control = writeScript(join(root, 'control'), 'exit 1');
      const settings = join(root, 'settings');
      writeFileSync(
        settings,
        `storages=main storage_main_data='${data}' storage_main_peer='${root}/peer/Data.fs' status_file='${at}/${SWITCH}'
zeo_control='${control}' zeo_port=1 zeo_start_wait=5 zeo_stop_wait=5 promote_wait=5\n`,
      );
      const env = {
        SYNCPOZO: '/bin/false',
        SYNCPOZO_SETTINGS: settings,
        SYNCPOZO_DEFAULTS: join(root, 'none'),
        SYNCPOZO_STATE: run,
        SYNCPOZO_RUN: run,
        SYNCPOZO_SYSLOG: 'no',
      };
      return {
        directories: [at],
        command: [join(scripts, 'cluster', 'zeo'), 'start'],
        env,
        promise: `["${control}", "start"]`,
      };
    },
    judge(left, promised) {
      const problem = switchProblem(left, promised, ON, OFF);
      if (problem !== undefined || !promised) return problem;
      // Its time is what the other host decides by, and is on the disk if the text is.
      const note = left.get('Data.fs.unpromoted');
      return note !== undefined && /^\w.*\d{4}.*\n$/.test(note) && !note.startsWith('long ago')
        ? undefined
        : `ZEO may commit, and the note that it serves without a promotion is ${JSON.stringify(note)}`;
    },
  };
}

export const TAKEOVER_SCENES: readonly Scene[] = [
  switchScene('off', ON, 'write_switch 0', OFF),
  switchScene('off, the first time', undefined, 'write_switch 0', OFF),
  switchScene('on again', OFF, 'write_switch 1', ON),
  seenOff,
  startScene(false),
  startScene(true),
];
