import { cursorInvalid } from '../errors.ts';

/** Makes the cursor that continues a list after a row. Callers treat it as opaque. */
export function formatCursor(lastId: string): string {
  return Buffer.from(lastId).toString('base64url');
}

/** Reads a cursor. @throws CURSOR_INVALID */
export function parseCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString();
  if (!/^[A-Za-z0-9._-]{1,220}$/.test(id)) throw cursorInvalid('this cursor was not returned by this list');
  return id;
}

/** The key of a row in a list by time. */
export function timeKey({ createdAtMs, id }: { createdAtMs: number; id: string }): string {
  return `${createdAtMs}.${id}`;
}

/** Reads the cursor of a list by time. @throws CURSOR_INVALID */
export function parseTimeCursor(cursor: string | undefined): { atMs: number; id: string } | undefined {
  const key = parseCursor(cursor);
  if (key === undefined) return undefined;
  const dot = key.indexOf('.');
  const atMs = Number(key.slice(0, dot));
  if (dot < 1 || !Number.isSafeInteger(atMs))
    throw cursorInvalid('this cursor was not returned by this list');
  return { atMs, id: key.slice(dot + 1) };
}

/** Cuts a page: one row more than asked for was read, to know whether there is a next page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  idOf: (row: Row) => string,
  present: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(present),
    nextCursor: rows.length > limit && last !== undefined ? formatCursor(idOf(last)) : null,
  };
}
