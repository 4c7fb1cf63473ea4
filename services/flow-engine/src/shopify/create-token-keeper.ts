import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Leases, SecretBox } from '@switchyard/database';
import type { Outbox } from '@switchyard/outbox';
import { createId } from '@switchyard/runtime';
import type { SafeClient } from '@switchyard/safe-http';
import type { FlowTables } from '../database/tables.ts';
import { shopTokenBusy, shopUnauthorized } from '../errors.ts';
import { secretContext } from './shop-store.ts';
import type { ShopsTable } from './tables.ts';

/** Keeps shops' access tokens fresh. */
export interface TokenKeeper {
  /**
   * A token that is valid. One that is about to expire is refreshed first, by one instance at a time.
   *
   * @param refused a token that Shopify has just refused: it counts as expired.
   * @throws SHOP_UNAUTHORIZED (never), SHOP_TOKEN_BUSY (retry), what the request throws.
   */
  accessToken(
    shop: Pick<ShopsTable, 'id'>,
    options: { refused?: string; signal: AbortSignal },
  ): Promise<string>;
}

/** What {@link createTokenKeeper} needs. */
export interface TokenKeeperParts {
  database: Database<FlowTables>;
  outbox: Outbox<FlowTables>;
  leases: Leases;
  owner: string;
  secretBox: SecretBox;
  client: SafeClient;
  /** Where a shop's Admin API is. */
  baseUrlOf: (shopDomain: string) => string;
}

/** A token is not used in its last minutes: calls take time, and clocks differ. */
const EARLY_MS = 5 * 60_000;
const LEASE_MS = 20_000;
const REQUEST_MS = 10_000;
const LOOK_AGAIN_MS = 150;
const WAIT_MS = 15_000;

/**
 * Makes the keeper. A refresh is done under a lease in SQL, which the write checks.
 *
 * Dies before the request: the lease runs out, another refreshes. Dies after it, before the row: the stored refresh token still works
 * until the new access token is used, which nobody knows, so the next refresh gets another. Dies after the row: done.
 */
export function createTokenKeeper(parts: TokenKeeperParts): TokenKeeper {
  const { database, outbox, leases, owner, secretBox, client, baseUrlOf } = parts;
  const { db } = database;
  const open = (row: ShopsTable, column: 'accessToken' | 'refreshToken' | 'clientSecret', sealed: string) =>
    secretBox.open(sealed, secretContext(row.id, column));

  async function read(id: string): Promise<ShopsTable> {
    const row = await db.selectFrom('shops').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw shopUnauthorized('the shop was removed');
    if (row.state === 'unauthorized')
      throw shopUnauthorized(row.stateReason ?? 'Shopify no longer takes the tokens');
    return row;
  }

  function isFresh(row: ShopsTable, token: string, refused: string | undefined): boolean {
    if (token === refused) return false;
    return row.tokenExpiresAtMs === null || row.tokenExpiresAtMs > Date.now() + EARLY_MS;
  }

  /** Asks Shopify for the next pair. */
  async function request(row: ShopsTable, signal: AbortSignal) {
    const { clientId, clientSecretSealed, refreshTokenSealed } = row;
    if (refreshTokenSealed === null || clientId === null || clientSecretSealed === null)
      return 'no refresh token is stored';
    const { status, body } = await client.request({
      method: 'POST',
      url: `${baseUrlOf(row.shopDomain)}/admin/oauth/access_token`,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        client_id: clientId,
        client_secret: open(row, 'clientSecret', clientSecretSealed),
        grant_type: 'refresh_token',
        refresh_token: open(row, 'refreshToken', refreshTokenSealed),
      }),
      timeoutMs: REQUEST_MS,
      signal,
    });
    // Shopify is away or asks for patience: the tokens are as good as before.
    if (status >= 500 || status === 429)
      throw shopTokenBusy(`the token could not be refreshed: Shopify answered ${status}`);
    if (status !== 200) return `Shopify refused to refresh the token (${status})`;
    const answer = parse(body.toString('utf8'));
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = answer;
    if (typeof accessToken !== 'string' || accessToken === '') return 'Shopify answered without a token';
    return {
      accessToken,
      ...(typeof refreshToken === 'string' ? { refreshToken } : {}),
      expiresInSeconds:
        Number.isFinite(Number(seconds)) && seconds !== undefined ? Number(seconds) : undefined,
    };
  }

  async function refresh(
    id: string,
    refused: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const lease = await leases.acquire(`shop-token:${id}`, { owner, ttlMs: LEASE_MS });
    if (!lease) return undefined;
    try {
      // Somebody may have refreshed it between our look and our lease.
      const row = await read(id);
      const current = open(row, 'accessToken', row.accessTokenSealed);
      if (isFresh(row, current, refused)) return current;
      const next = await request(row, signal);
      const now = Date.now();
      if (typeof next === 'string') {
        await outbox.transaction(async (trx, enqueue) => {
          await leases.check(trx, lease);
          await trx
            .updateTable('shops')
            .set({ state: 'unauthorized', stateReason: next, updatedAtMs: now })
            .where('id', '=', id)
            .execute();
          enqueue({
            queue: 'notifications',
            name: 'send-notification',
            payload: {
              merchantId: row.merchantId,
              notificationId: createId('ntf', now),
              key: `shop-unauthorized-${id}`,
              severity: 'critical',
              title: `The shop ${row.shopDomain} no longer lets flows in`,
              body: `${next}. Connect it again; until then its look-ups fail.`,
              occurredAtMs: now,
            },
            meta: { merchantId: row.merchantId },
          });
        });
        throw shopUnauthorized(next);
      }
      const { accessToken, refreshToken, expiresInSeconds } = next;
      await database.transaction(async (trx) => {
        await leases.check(trx, lease);
        await trx
          .updateTable('shops')
          .set({
            accessTokenSealed: secretBox.seal(accessToken, secretContext(id, 'accessToken')),
            tokenExpiresAtMs: expiresInSeconds === undefined ? null : now + expiresInSeconds * 1000,
            ...(refreshToken === undefined
              ? {}
              : { refreshTokenSealed: secretBox.seal(refreshToken, secretContext(id, 'refreshToken')) }),
            updatedAtMs: now,
          })
          .where('id', '=', id)
          .execute();
      });
      return accessToken;
    } finally {
      await leases.release(lease);
    }
  }

  return {
    async accessToken({ id }, { refused, signal }) {
      const deadline = performance.now() + WAIT_MS;
      for (;;) {
        const row = await read(id);
        const token = open(row, 'accessToken', row.accessTokenSealed);
        if (isFresh(row, token, refused)) return token;
        const refreshed = await refresh(id, refused, signal);
        if (refreshed !== undefined) return refreshed;
        // Another instance is at it. Until it is done, a token in its last minutes does.
        if (token !== refused && (row.tokenExpiresAtMs ?? 0) > Date.now() + 30_000) return token;
        if (performance.now() > deadline) throw shopTokenBusy('the token is being refreshed for too long');
        await delay(LOOK_AGAIN_MS, undefined, { signal });
      }
    },
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
