import type { FastifyRequest } from 'fastify';
import { crossSiteRefused } from '../errors.ts';

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Lets changes through only from the dashboard's own pages: the browser sends the login along with whatever any page asks
 * for, and Bull Board has no protection of its own.
 *
 * Browsers state where a request comes from in `Sec-Fetch-Site`, or on plain HTTP at least in `Origin`. A caller that
 * sends neither is no browser, so no page stands behind it.
 *
 * @throws CROSS_SITE_REFUSED
 */
export function refuseCrossSite(request: Pick<FastifyRequest, 'method' | 'headers' | 'host'>): void {
  if (reading.has(request.method)) return;
  const { origin, 'sec-fetch-site': site } = request.headers;
  const isOwn =
    site === undefined ? origin === undefined || hostOf(origin) === request.host : site === 'same-origin';
  if (!isOwn) throw crossSiteRefused('changes are taken from the dashboard itself only');
}

/** Undefined for `null` and whatever else is no origin. */
function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
