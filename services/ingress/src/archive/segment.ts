import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { SourceKind } from '../database/tables.ts';

const compress = promisify(deflateRaw);
const expand = promisify(inflateRaw);

/** Of webhooks, a higher level saves 2 % of room for twice the time. */
const LEVEL = 3;

/** A verified webhook, or the part of one that is a merchant's, as it is archived. */
export interface ArchiveEntry {
  readonly merchantId: string;
  readonly kind: SourceKind;
  readonly appId: string;
  readonly sourceKey?: string;
  readonly receivedAtMs: number;
  /** Never the signature. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Packs entries of one merchant: each as its facts and its raw body, with lengths before both; compressed on a thread of the pool,
 * off the hot path.
 *
 * @returns base64.
 */
export async function packSegment(entries: readonly ArchiveEntry[]): Promise<string> {
  const heads = entries.map(({ body: _body, merchantId: _merchantId, ...facts }) => JSON.stringify(facts));
  const headBytes = heads.map((head) => Buffer.byteLength(head));
  const size = entries.reduce((sum, { body }, index) => sum + 8 + headBytes[index]! + body.length, 0);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  entries.forEach(({ body }, index) => {
    at = bytes.writeUInt32LE(headBytes[index]!, at);
    at = bytes.writeUInt32LE(body.length, at);
    at += bytes.write(heads[index]!, at);
    at += body.copy(bytes, at);
  });
  return (await compress(bytes, { level: LEVEL })).toString('base64');
}

/** Unpacks what {@link packSegment} has packed. */
export async function unpackSegment(merchantId: string, packed: string): Promise<ArchiveEntry[]> {
  const bytes = await expand(Buffer.from(packed, 'base64'));
  const entries: ArchiveEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    const headEnd = at + 8 + bytes.readUInt32LE(at);
    const bodyEnd = headEnd + bytes.readUInt32LE(at + 4);
    const facts = JSON.parse(bytes.toString('utf8', at + 8, headEnd)) as Omit<
      ArchiveEntry,
      'body' | 'merchantId'
    >;
    entries.push({ ...facts, merchantId, body: bytes.subarray(headEnd, bodyEnd) });
    at = bodyEnd;
  }
  return entries;
}
