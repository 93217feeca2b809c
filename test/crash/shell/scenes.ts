import { HOST_SCENES } from './host-scenes.js';
import { INSTALL_SCENES } from './install-scenes.js';
import type { Scene } from './play.js';
import { TAKEOVER_SCENES } from './takeover-scenes.js';

export const SCENES: readonly Scene[] = [...TAKEOVER_SCENES, ...HOST_SCENES, ...INSTALL_SCENES];
