import type { StorageSettings } from '../config/configuration.js';
import type { Log } from '../report/log.js';
import type { SyncResult } from '../round/result.js';
import type { SyncOptions } from '../round/run-sync.js';
import { runTogether } from '../round/together.js';

/**
 * The rounds of `sync --together`: the first storage of a group that is asked for brings the whole group to one moment, as far
 * as it was chosen. A storage without a group is a group of its own.
 */
export class SyncGroups {
  private readonly results = new Map<StorageSettings, SyncResult>();
  private readonly moments = new Map<string, string | null>();

  constructor(
    private readonly storages: readonly StorageSettings[],
    private readonly optionsOf: (storage: StorageSettings) => SyncOptions,
    private readonly log: Log,
  ) {}

  async resultOf(storage: StorageSettings): Promise<SyncResult> {
    const known = this.results.get(storage);
    if (known) return known;
    const { group } = storage;
    const members = group === undefined ? [storage] : this.storages.filter((each) => each.group === group);
    const { results, moment } = await runTogether(members.map(this.optionsOf), this.log);
    members.forEach((member, index) => {
      const result = results[index];
      if (result) this.results.set(member, result);
    });
    if (group !== undefined) {
      this.moments.set(group, moment === undefined ? null : new Date(moment).toISOString());
      const fields = { group, storages: members.map(({ name }) => name) };
      if (moment !== undefined)
        this.log.info({ ...fields, moment: this.moments.get(group) }, 'the group is at one moment');
    }
    const result = this.results.get(storage);
    if (!result) throw new Error(`the group of ${storage.name} has no result for it`);
    return result;
  }

  /** The moment of each group, by its name; null: the group could not be brought to one. */
  get together(): Readonly<Record<string, string | null>> {
    return Object.fromEntries(this.moments);
  }
}
