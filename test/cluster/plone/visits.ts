import type { Noted } from '../support/requests.js';

/** What a visitor of the Plone site asked for. `page` is a read; everything else a write, which is acknowledged by a status of 2xx. */
export interface Visit extends Noted {
  readonly kind: 'page' | 'Document' | 'File' | 'Image' | 'edit' | 'replace' | 'delete';
  /** Of a write. No two writes have the same, and each puts its `marker` into the item. */
  readonly id?: number;
  /** Of the item that was written, from the site's root. */
  readonly path?: string;
  /** Of the file's bytes, which the item had after this write. */
  readonly sha256?: string;
  /** The address of the new item, as Plone named it. */
  readonly named?: string;
}

/** A write that is known to be done, or may be. */
export interface Write extends Visit {
  readonly id: number;
  readonly path: string;
}

export interface LoadSettings {
  readonly server: string;
  /** As many as make_site.py has made folders. */
  readonly writers: number;
  readonly readers: number;
  readonly pauseMs: number;
  readonly timeoutMs: number;
  readonly firstId: number;
}

export const CREDENTIALS = `Basic ${Buffer.from('admin:secret').toString('base64')}`;

/** In the title, the text and the file's name of an item: the write that it comes from. */
export function marker(id: number): string {
  return `mark${id}end`;
}

export function markersIn(text: string): readonly number[] {
  return [...text.matchAll(/mark(\d+)end/g)].map(([, id]) => Number(id));
}

export function isWrite(visit: Visit): visit is Write {
  return visit.kind !== 'page' && visit.id !== undefined && visit.path !== undefined;
}

export function isAcknowledged(visit: Visit): visit is Write {
  return isWrite(visit) && visit.status >= 200 && visit.status < 300;
}
