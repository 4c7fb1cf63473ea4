import { type Database, isUniqueViolation, type SecretBox } from '@switchyard/database';
import { createId, DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import type { FlowTables } from '../database/tables.ts';
import { setByEnvironment, shopExists, shopNotConfigured, shopUnauthorized, shopUnknown } from '../errors.ts';
import type { ShopsTable } from './tables.ts';

/** A shop as the API shows it: without its tokens. */
export interface ShownShop {
  id: string;
  merchantId: string;
  shopDomain: string;
  tokenExpiresAtMs: number | null;
  /** Whether its tokens are refreshed before they expire. */
  isRefreshed: boolean;
  state: ShopsTable['state'];
  stateReason: string | null;
  setByEnvironment: boolean;
  createdAtMs: number;
  updatedAtMs: number;
}

/** A shop's tokens, as given by the merchant. */
export interface ShopTokens {
  accessToken: string;
  /** How long the access token is valid; it does not expire without. */
  expiresInSeconds?: number | undefined;
  refreshToken?: string | undefined;
  clientId?: string | undefined;
  clientSecret?: string | undefined;
}

/** The merchants' shops. */
export interface ShopStore {
  /** @throws SHOP_EXISTS */
  create(merchantId: string, shopDomain: string, tokens: ShopTokens): Promise<ShownShop>;
  list(merchantId: string): Promise<ShownShop[]>;
  /** @throws SHOP_UNKNOWN */
  get(merchantId: string, id: string): Promise<ShownShop>;
  /** New tokens; a shop that was unauthorized is asked again. @throws SHOP_UNKNOWN, SET_BY_ENVIRONMENT */
  setTokens(merchantId: string, id: string, tokens: ShopTokens): Promise<ShownShop>;
  /** @throws SHOP_UNKNOWN, SET_BY_ENVIRONMENT */
  remove(merchantId: string, id: string): Promise<void>;
  /** Makes or changes the environment's shop; undefined takes it away. Runs at every start, on every replica. */
  ensureFromEnvironment(shop: { shopDomain: string; accessToken: string } | undefined): Promise<void>;
  /**
   * Asks the shop no more, until it is connected again: it has removed the app. One that has been connected since stays.
   *
   * @returns whether there was such a shop.
   */
  stop(
    merchantId: string,
    shopDomain: string,
    stop: { reason: string; stoppedAtMs: number },
  ): Promise<boolean>;
  /** The shop of this domain, or the merchant's only one. @throws SHOP_NOT_CONFIGURED, SHOP_UNAUTHORIZED */
  find(merchantId: string, shopDomain: string | undefined): Promise<ShopsTable>;
}

const ENVIRONMENT_ID = 'shp_environment';

/** What a shop's secrets are sealed with: they open in no other row. */
export const secretContext = (id: string, column: string) => `shops.${column}:${id}`;

/** Makes the store of shops. */
export function createShopStore(deps: { database: Database<FlowTables>; secretBox: SecretBox }): ShopStore {
  const { database, secretBox } = deps;
  const { db } = database;

  async function row(merchantId: string, id: string): Promise<ShopsTable> {
    const found = await db
      .selectFrom('shops')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!found) throw shopUnknown('no shop has this id', { details: { id } });
    return found;
  }

  function columnsOf(id: string, tokens: ShopTokens) {
    const { accessToken, expiresInSeconds, refreshToken, clientId, clientSecret } = tokens;
    const seal = (text: string | undefined, column: string) =>
      text === undefined ? null : secretBox.seal(text, secretContext(id, column));
    const now = Date.now();
    return {
      accessTokenSealed: secretBox.seal(accessToken, secretContext(id, 'accessToken')),
      tokenExpiresAtMs: expiresInSeconds === undefined ? null : now + expiresInSeconds * 1000,
      refreshTokenSealed: seal(refreshToken, 'refreshToken'),
      clientId: clientId ?? null,
      clientSecretSealed: seal(clientSecret, 'clientSecret'),
      state: 'active' as const,
      stateReason: null,
      updatedAtMs: now,
    };
  }

  const refuseEnvironments = ({ origin }: ShopsTable) => {
    if (origin === 'environment')
      throw setByEnvironment('this shop is set by SHOPIFY_SHOP_DOMAIN and SHOPIFY_ACCESS_TOKEN');
  };

  return {
    async create(merchantId, shopDomain, tokens) {
      const id = createId('shp');
      const values = {
        id,
        merchantId,
        shopDomain: shopDomain.toLowerCase(),
        origin: 'api' as const,
        createdAtMs: Date.now(),
      };
      try {
        await db
          .insertInto('shops')
          .values({ ...values, ...columnsOf(id, tokens) })
          .execute();
      } catch (error) {
        if (isUniqueViolation(error)) throw shopExists('this shop is connected already');
        throw error;
      }
      return present(await row(merchantId, id));
    },
    async list(merchantId) {
      const rows = await db
        .selectFrom('shops')
        .selectAll()
        .where('merchantId', '=', merchantId)
        .orderBy('id')
        .execute();
      return rows.map(present);
    },
    get: async (merchantId, id) => present(await row(merchantId, id)),
    async setTokens(merchantId, id, tokens) {
      refuseEnvironments(await row(merchantId, id));
      await db.updateTable('shops').set(columnsOf(id, tokens)).where('id', '=', id).execute();
      return present(await row(merchantId, id));
    },
    async remove(merchantId, id) {
      refuseEnvironments(await row(merchantId, id));
      await db.deleteFrom('shops').where('id', '=', id).execute();
    },
    async ensureFromEnvironment(shop) {
      if (!shop) {
        await db.deleteFrom('shops').where('id', '=', ENVIRONMENT_ID).execute();
        return;
      }
      const merchantId = DEFAULT_MERCHANT_ID;
      const shopDomain = shop.shopDomain.toLowerCase();
      const columns = columnsOf(ENVIRONMENT_ID, { accessToken: shop.accessToken });
      const replace = () =>
        database.transaction(async (trx) => {
          // The environment has the last word: the same shop, connected by the API before, makes way.
          await trx
            .deleteFrom('shops')
            .where('merchantId', '=', merchantId)
            .where((eb) => eb.or([eb('shopDomain', '=', shopDomain), eb('id', '=', ENVIRONMENT_ID)]))
            .execute();
          await trx
            .insertInto('shops')
            .values({
              ...{
                id: ENVIRONMENT_ID,
                merchantId,
                shopDomain,
                origin: 'environment',
                createdAtMs: Date.now(),
              },
              ...columns,
            })
            .execute();
        });
      await replace().catch((error) => {
        // Another replica has just made the same.
        if (!isUniqueViolation(error)) throw error;
      });
    },
    async stop(merchantId, shopDomain, { reason, stoppedAtMs }) {
      const { numUpdatedRows } = await db
        .updateTable('shops')
        .set({
          state: 'unauthorized',
          stateReason: `the shop has removed the app (${reason})`.slice(0, 500),
          // Worth nothing any more; a refresh would only ask in vain.
          refreshTokenSealed: null,
          clientSecretSealed: null,
          updatedAtMs: Date.now(),
        })
        .where('merchantId', '=', merchantId)
        .where('shopDomain', '=', shopDomain.toLowerCase())
        .where('updatedAtMs', '<=', stoppedAtMs)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async find(merchantId, shopDomain) {
      let query = db.selectFrom('shops').selectAll().where('merchantId', '=', merchantId);
      if (shopDomain !== undefined) query = query.where('shopDomain', '=', shopDomain.toLowerCase());
      const [first, second] = await query.orderBy('id').limit(2).execute();
      if (first === undefined) throw shopNotConfigured('the merchant has no such shop');
      if (second !== undefined)
        throw shopNotConfigured('the merchant has several shops: the node must name one');
      // What is cached of a shop must not outlive the permission.
      if (first.state !== 'active')
        throw shopUnauthorized(first.stateReason ?? 'Shopify no longer takes the tokens');
      return first;
    },
  };
}

function present(row: ShopsTable): ShownShop {
  const { id, merchantId, shopDomain, tokenExpiresAtMs, state, stateReason, createdAtMs, updatedAtMs } = row;
  return {
    ...{ id, merchantId, shopDomain, tokenExpiresAtMs, state, stateReason, createdAtMs, updatedAtMs },
    isRefreshed: row.refreshTokenSealed !== null,
    setByEnvironment: row.origin === 'environment',
  };
}
