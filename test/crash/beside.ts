import { parseRole, type RoleFacts } from '../../src/standby/role.js';
import type { FileId } from './change.js';
import { DAT, DATA, NEW_DAT, ROLE } from './history.js';
import { datIn, type Image } from './image.js';
import type { Disk } from './model-disk.js';

export function imageAt(state: Disk, name: string): Image | undefined {
  const file = state.names.get(name);
  return file === undefined ? undefined : state.images.get(file);
}

/**
 * The name of the `.dat` that counts: Data.fs.dat if it describes the file at the slave's path, or Data.fs.new.dat if that one
 * does, as between the swap of a rebuild and the rename of its `.dat`.
 */
export function nameOfDat(state: Disk): string {
  const file = state.names.get(DATA);
  return [DAT, NEW_DAT].find((name) => file !== undefined && describedBy(state, name) === file) ?? DAT;
}

export function datOf(state: Disk): Image | undefined {
  return imageAt(state, nameOfDat(state));
}

function describedBy(state: Disk, name: string): FileId | undefined {
  const image = imageAt(state, name);
  const dat = image && datIn(image);
  return dat && Number(dat.slaveInode);
}

/** Whether a `.dat` under either name describes the slave's file. */
export function isDescribed(state: Disk): boolean {
  return describedBy(state, nameOfDat(state)) === state.names.get(DATA);
}

/** The facts of the role file; undefined if it is missing or unusable. */
export function roleIn(image: Image | undefined): RoleFacts | undefined {
  const parsed = image && parseRole(Buffer.from(image.bytes).toString('utf8'));
  return parsed && 'facts' in parsed ? parsed.facts : undefined;
}

export function roleOf(state: Disk): RoleFacts | undefined {
  return roleIn(imageAt(state, ROLE));
}
