/** What is no mistake in the configuration, and may be one on this machine. */
export interface Warning {
  /** null: of no storage. */
  readonly storage: string | null;
  readonly path: string;
  readonly message: string;
}
