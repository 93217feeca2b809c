import type { Commands } from './program.js';

/** Every command, loaded when it is called. */
export const COMMANDS: Commands = {
  sync: async () => (await import('./commands/sync-command.js')).syncCommand(),
  watch: async () => (await import('./commands/watch-command.js')).watchCommand(),
  status: async () => (await import('./commands/status-command.js')).statusCommand(),
  verify: async () => (await import('./commands/verify-command.js')).verifyCommand(),
  on: async () => (await import('./commands/switch-command.js')).switchCommand('on'),
  off: async () => (await import('./commands/switch-command.js')).switchCommand('off'),
  compare: async () => (await import('./commands/compare-command.js')).compareCommand(),
  promote: async () => (await import('./commands/promote-command.js')).promoteCommand(),
  rejoin: async () => (await import('./commands/rejoin-command.js')).rejoinCommand(),
  demote: async () => (await import('./commands/demote-command.js')).demoteCommand(),
  log: async () => (await import('./commands/log-command.js')).logCommand(),
  extract: async () => (await import('./commands/extract-command.js')).extractCommand(),
  index: async () => (await import('./commands/index-command.js')).indexCommand(),
  config: async () => (await import('./commands/config-command.js')).configCommand(),
  demo: async () => (await import('./commands/demo.js')).demoCommand(),
};
