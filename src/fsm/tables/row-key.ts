/**
 * Keys of rows: `<table> <namespace> NUL <part> NUL <part> …`, ordered as the parts are (memcmp on UTF-8).
 *
 * The table is one letter. The namespace is empty today and means `default`; its place is kept so that tenants can come
 * without moving a row. A part may hold any text: NUL and SOH are escaped so that order and boundaries survive. Text
 * that no UTF-8 can carry (a lone surrogate) is replaced as encoders do, so that two spellings cannot name one row.
 */
declare const rowKey: unique symbol;
export type RowKey = string & { readonly [rowKey]: true };

/** The beginning of every key of a table. */
export function tablePrefix(table: string): RowKey {
  return `${table}\x00` as RowKey;
}

/** A row's key, or with fewer parts the prefix of all rows that share them. */
export function keyOf(table: string, ...parts: readonly string[]): RowKey {
  let key = `${table}\x00`;
  for (const part of parts) key += `${escapePart(part)}\x00`;
  return key as RowKey;
}

/**
 * A key whose last part stands open, so that a prefix of the part is a prefix of the key. For KV keys, which are
 * searched by any prefix; the last part needs no escaping, since nothing follows it.
 */
export function openKeyOf(table: string, part: string): RowKey {
  return `${table}\x00${wellFormed(part)}` as RowKey;
}

/** What a part rarely holds: control characters (two of which need an escape) and lone surrogates. */
const special = /[\p{Control}\p{Surrogate}]/u;

function escapePart(part: string): string {
  if (!special.test(part)) return part;
  return wellFormed(part).replaceAll('\x01', '\x01\x03').replaceAll('\x00', '\x01\x02');
}

function wellFormed(text: string): string {
  return special.test(text) ? text.replace(/\p{Surrogate}/gu, '\ufffd') : text;
}
