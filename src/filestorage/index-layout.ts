/**
 * `Data.fs.index`, after ZODB's fsIndex.py: a stream of pickles of protocol 3 in `fast` mode (no memo), as zodbpickle
 * writes them.
 *
 * ```
 * head         80 03  INT  2e               the position up to which the index covers the Data.fs
 * bucket       80 03  43 06  6 bytes        upper 48 bits of the oids, buckets ascending
 *              BYTES  n x 2 bytes           lower 16 bits of the oids, ascending
 *                     n x 6 bytes           position of each one's newest record
 *              86 2e                        (a tuple of the two)
 * end          80 03  4e 2e                 None
 *
 * INT          4b n | 4d n n | 4a n n n n | 8a length n ...    little-endian, last two signed; shortest form
 * BYTES        43 length | 42 length of 4 bytes, little-endian, when it is more than 255
 * ```
 */
/** Largest possible length of the first pickle, which holds a position. */
export const INDEX_HEAD_LENGTH = 2 + 2 + 8 + 1;

export const PREFIX_LENGTH = 6;
export const SUFFIX_LENGTH = 2;
/** In words of two bytes. */
export const POSITION_WORDS = 3;
export const POSITION_LENGTH = 2 * POSITION_WORDS;
export const ENTRY_LENGTH = SUFFIX_LENGTH + POSITION_LENGTH;

/** Largest possible number of bytes before a bucket's entries, and the number after them. */
export const BUCKET_HEAD_LENGTH = 2 + 2 + PREFIX_LENGTH + 5;
export const BUCKET_TAIL_LENGTH = 2;
export const LONGEST_BUCKET = BUCKET_HEAD_LENGTH + 0x1_0000 * ENTRY_LENGTH + BUCKET_TAIL_LENGTH;

/** Whether this machine is little-endian; the file is big-endian. */
export const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
