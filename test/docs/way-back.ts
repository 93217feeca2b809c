import type { Host } from './host.js';

/** `/srv` is the old master's, which went on by itself for a moment, with a blob; m2 was promoted, and serves. */
export function afterTakeover(host: Host): void {
  host.makeSite('srv');
  host.prepare(
    'syncpozo sync --quiet /srv/zeo/var /mnt/m2/zeo/var --blobs /srv/zeo/blobs:/mnt/m2/zeo/blobs',
    'syncpozo promote --quiet /mnt/m2/zeo/var',
  );
  host.prepare('syncpozo on');
  host.commit('srv/Data.fs', 'what nobody copied any more');
  host.commitBlob('srv', 4);
  host.commit('m2/Data.fs', 'the first edit after the takeover');
}
