/** A configuration file that cannot be used: the operator's mistakes, one a line, each with the path of the file. */
export class ConfigurationMistake extends Error {
  override readonly name = 'ConfigurationMistake';
  constructor(
    readonly lines: readonly string[],
    readonly hint?: string,
  ) {
    super(lines.join('\n'));
  }
}
