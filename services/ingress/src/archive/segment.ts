import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { SourceKind } from '../database/tables.ts';

const compress = promisify(deflateRaw);
const expand = promisify(inflateRaw);

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
  const parts: Buffer[] = [];
  for (const { body, merchantId: _merchantId, ...facts } of entries) {
    const head = Buffer.from(JSON.stringify(facts), 'utf8');
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(head.length, 0);
    lengths.writeUInt32LE(body.length, 4);
    parts.push(lengths, head, body);
  }
  return (await compress(Buffer.concat(parts), { level: 4 })).toString('base64');
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
