/** A storage was not brought to the common moment of its group, for a reason that lies in the group. */
export class NotTogether extends Error {
  override readonly name = 'NotTogether';
  constructor(
    message: string,
    readonly hint: string | undefined,
    /** The group was not meant to be synced now: switched off, or another sync is at work. */
    readonly isPlanned = false,
  ) {
    super(message);
  }
}
