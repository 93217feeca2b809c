/** A value for a script: undefined where nothing is set. */
export type Value = string | number | boolean | readonly string[] | { readonly [key: string]: Value | undefined };

/** Without what is not set. */
export function set(values: { readonly [key: string]: Value | undefined }): Value {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
