/** The record of every blob as ZODB 5 and later write it: the pickles of the class and of its state, which is None. */
export const BLOB_RECORD: Uint8Array = Buffer.from('\x80\x03cZODB.blob\nBlob\nq\x00.\x80\x03N.', 'latin1');
