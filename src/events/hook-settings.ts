import { EVENT_NAMES } from './event.js';

/** The moments before something is done, at which a hook may forbid it. */
export const MOMENTS = ['before-promote', 'before-rejoin'] as const;
export type Moment = (typeof MOMENTS)[number];

/** All that a command may be given for. */
export const HOOK_NAMES: readonly string[] = [...MOMENTS, ...EVENT_NAMES];

/** Commands, each as a program and its arguments, by the event or the moment that they are for. */
export interface HookSettings {
  readonly commands: Readonly<Record<string, readonly string[]>>;
  readonly timeoutSeconds: number;
}
