import { BACK_POINTER_LENGTH, RECORD_HEADER_LENGTH, TRANSACTION_HEADER_LENGTH } from '../../src/filestorage/layout.js';

/** One field of a file. Its name begins with the number of the transaction, and of the record in it. */
export interface Field {
  readonly name: string;
  readonly position: number;
  readonly length: number;
}

const TRANSACTION = { tid: 8, length: 8, status: 1, 'user length': 2, 'description length': 2, 'extension length': 2 };
const RECORD = {
  oid: 8,
  'record tid': 8,
  previous: 8,
  'transaction pointer': 8,
  'version length': 2,
  'data length': 8,
};

/** Every structural field of a healthy file; texts and data are left out. */
export function fieldsOf(bytes: Uint8Array): Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields: Field[] = [{ name: 'magic', position: 0, length: 4 }];
  const add = (where: string, at: number, layout: Readonly<Record<string, number>>): void => {
    let position = at;
    for (const [name, length] of Object.entries(layout)) {
      fields.push({ name: `${where} ${name}`, position, length });
      position += length;
    }
  };
  for (let position = 4, transaction = 0; position < bytes.length; transaction++) {
    add(`${transaction}`, position, TRANSACTION);
    const end = position + Number(view.getBigUint64(position + 8));
    let at = position + TRANSACTION_HEADER_LENGTH;
    for (const length of [17, 19, 21]) at += view.getUint16(position + length);
    for (let record = 0; at < end; record++) {
      add(`${transaction} ${record}`, at, RECORD);
      const dataLength = Number(view.getBigUint64(at + 34));
      if (dataLength === 0)
        add(`${transaction} ${record}`, at + RECORD_HEADER_LENGTH, { 'back pointer': BACK_POINTER_LENGTH });
      at += RECORD_HEADER_LENGTH + (dataLength || BACK_POINTER_LENGTH);
    }
    add(`${transaction}`, end, { trailer: 8 });
    position = end + 8;
  }
  return fields;
}
