import type { Scene } from './play.js';
import { TAKEOVER_SCENES } from './takeover-scenes.js';

export const SCENES: readonly Scene[] = [...TAKEOVER_SCENES];
