/** Commands, each as a program and its arguments, by the event or the moment that they are for. */
export interface HookSettings {
  readonly commands: Readonly<Record<string, readonly string[]>>;
  readonly timeoutSeconds: number;
}
