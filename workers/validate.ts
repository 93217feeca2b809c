/** What piscina loads into its threads: one chunk a call. */
export { validate as default } from '../src/engine/validate-task.js';
