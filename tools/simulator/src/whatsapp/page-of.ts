import type { FastifyRequest } from 'fastify';

/** One page of a Graph API list. */
export interface GraphPage<T> {
  readonly data: T[];
  readonly paging?: { readonly cursors: { before: string; after: string }; readonly next?: string };
}

const cursor = (index: number) => Buffer.from(`i${index}`).toString('base64url');

function indexOf(text: string | undefined): number {
  const match = /^i(\d+)$/.exec(Buffer.from(text ?? '', 'base64url').toString());
  return match ? Number(match[1]) : -1;
}

/**
 * Cuts a page out of a list by the request's `limit` (25, at most 1000) and `after`.
 *
 * @returns `paging.next` only when there is more.
 */
export function pageOf<T>(items: readonly T[], request: FastifyRequest): GraphPage<T> {
  const query = request.query as Record<string, string | undefined>;
  const limit = Math.min(1000, Math.max(1, Number(query.limit) || 25));
  const start = indexOf(query.after) + 1;
  const data = items.slice(start, start + limit);
  if (data.length === 0) return { data };
  const last = start + data.length - 1;
  const cursors = { before: cursor(start), after: cursor(last) };
  if (last + 1 >= items.length) return { data, paging: { cursors } };
  const next = new URL(request.url, `http://${request.headers.host ?? 'localhost'}`);
  next.searchParams.set('limit', String(limit));
  next.searchParams.set('after', cursors.after);
  return { data, paging: { cursors, next: next.href } };
}
