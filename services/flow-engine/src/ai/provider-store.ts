import { type Database, insertIgnore, type SecretBox } from '@switchyard/database';
import { isCodedError } from '@switchyard/errors';
import { createId } from '@switchyard/runtime';
import { checkUrl } from '@switchyard/safe-http';
import type { AiProvidersTable, FlowTables } from '../database/tables.ts';
import {
  aiProviderLimitReached,
  aiProviderUnknown,
  credentialUrlRefused,
  setByEnvironment,
} from '../errors.ts';

/** A provider, ready to be asked. */
export interface AiProvider {
  id: string;
  merchantId: string;
  name: string;
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
  transcriptionModel: string | null;
  tokenLimitParameter: 'max_tokens' | 'max_completion_tokens';
  /** Of the currency's units, for a million tokens (or a minute of speech). */
  inputPrice: number;
  outputPrice: number;
  minutePrice: number;
  /** Chosen by the operators, so that it may be inside their network. */
  isTrusted: boolean;
}

/** A provider as the API shows it: without its key. */
export type ShownProvider = Omit<AiProvidersTable, 'apiKeySealed' | 'origin'> & {
  hasApiKey: boolean;
  setByEnvironment: boolean;
};

/** What can be set on a provider. */
export interface ProviderInput {
  name?: string | undefined;
  baseUrl?: string | undefined;
  apiKey?: string | null | undefined;
  model?: string | undefined;
  transcriptionModel?: string | null | undefined;
  tokenLimitParameter?: AiProvider['tokenLimitParameter'] | undefined;
  position?: number | undefined;
  state?: AiProvidersTable['state'] | undefined;
  inputPrice?: number | undefined;
  outputPrice?: number | undefined;
  minutePrice?: number | undefined;
}

/** What the environment says of the default merchant's provider (R7.2). */
export interface EnvironmentProvider {
  merchantId: string;
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
  transcriptionModel: string | undefined;
}

/** Merchants' AI providers, asked in the order of their positions. */
export interface ProviderStore {
  create(
    merchantId: string,
    input: ProviderInput & { name: string; baseUrl: string; model: string },
  ): Promise<ShownProvider>;
  /** In the order they are asked. */
  list(merchantId: string): Promise<ShownProvider[]>;
  /** @throws AI_PROVIDER_UNKNOWN */
  get(merchantId: string, id: string): Promise<ShownProvider>;
  /** @throws AI_PROVIDER_UNKNOWN, SET_BY_ENVIRONMENT, CREDENTIAL_URL_REFUSED */
  change(merchantId: string, id: string, input: ProviderInput): Promise<ShownProvider>;
  /** @throws AI_PROVIDER_UNKNOWN, SET_BY_ENVIRONMENT */
  remove(merchantId: string, id: string): Promise<void>;
  /** Makes or changes the environment's provider; undefined takes it away. Runs at every start, on every replica. */
  ensureFromEnvironment(provider: EnvironmentProvider | undefined, merchantId: string): Promise<void>;
  /** Those turned on, with their keys, at most two seconds old. */
  usable(merchantId: string): Promise<AiProvider[]>;
}

const MAX_PROVIDERS = 10;
const REMEMBERED_MS = 2000;
const ENVIRONMENT_ID = 'aip_environment';
/** What a provider's key is sealed with: it opens in no other row. */
export const keyContext = (id: string) => `aiProviders.apiKey:${id}`;

/** Makes the store of AI providers. */
export function createProviderStore(deps: {
  database: Database<FlowTables>;
  secretBox: SecretBox;
  allowPrivateNetworks: boolean;
}): ProviderStore {
  const { database, secretBox, allowPrivateNetworks } = deps;
  const { db } = database;
  const remembered = new Map<string, { untilMs: number; providers: Promise<AiProvider[]> }>();

  function checkBaseUrl(text: string): void {
    try {
      checkUrl(text, { allowPrivateNetworks });
    } catch (error) {
      if (!isCodedError(error)) throw error;
      throw credentialUrlRefused(`baseUrl ${error.message}`, { details: { field: 'baseUrl' } });
    }
  }

  async function find(merchantId: string, id: string): Promise<AiProvidersTable> {
    const row = await db
      .selectFrom('aiProviders')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw aiProviderUnknown('no AI provider has this id', { details: { id } });
    return row;
  }

  function rows(merchantId: string): Promise<AiProvidersTable[]> {
    return db
      .selectFrom('aiProviders')
      .selectAll()
      .where('merchantId', '=', merchantId)
      .orderBy('position')
      .orderBy('id')
      .execute();
  }

  const refuseEnvironments = (row: AiProvidersTable) => {
    if (row.origin === 'environment')
      throw setByEnvironment('this provider is set by AI_BASE_URL, AI_API_KEY and AI_MODEL');
  };

  async function load(merchantId: string): Promise<AiProvider[]> {
    return (await rows(merchantId)).filter(({ state }) => state === 'enabled').map(open);
  }

  function open(row: AiProvidersTable): AiProvider {
    const { id, merchantId, name, baseUrl, model, transcriptionModel, tokenLimitParameter } = row;
    return {
      ...{ id, merchantId, name, baseUrl, model, transcriptionModel, tokenLimitParameter },
      apiKey: row.apiKeySealed === null ? undefined : secretBox.open(row.apiKeySealed, keyContext(id)),
      inputPrice: Number(row.inputPrice),
      outputPrice: Number(row.outputPrice),
      minutePrice: Number(row.minutePrice),
      isTrusted: row.origin === 'environment',
    };
  }

  return {
    async create(merchantId, input) {
      checkBaseUrl(input.baseUrl);
      const id = createId('aip');
      await database.transaction(async (trx) => {
        const { count, last } = await trx
          .selectFrom('aiProviders')
          .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.max('position').as('last')])
          .where('merchantId', '=', merchantId)
          .executeTakeFirstOrThrow();
        if (Number(count) >= MAX_PROVIDERS)
          throw aiProviderLimitReached(`a merchant has at most ${MAX_PROVIDERS} AI providers`);
        const position = input.position ?? Number(last ?? 0) + 1;
        await trx
          .insertInto('aiProviders')
          .values({ ...freshRow(id, merchantId, input), ...columnsOf(id, input, secretBox), position })
          .execute();
      });
      remembered.delete(merchantId);
      return present(await find(merchantId, id));
    },
    list: async (merchantId) => (await rows(merchantId)).map(present),
    get: async (merchantId, id) => present(await find(merchantId, id)),
    async change(merchantId, id, input) {
      const row = await find(merchantId, id);
      refuseEnvironments(row);
      if (input.baseUrl !== undefined) {
        checkBaseUrl(input.baseUrl);
        // A key belongs to the place it was given for: it must not be sent elsewhere.
        if (new URL(input.baseUrl).origin !== new URL(row.baseUrl).origin && input.apiKey === undefined)
          throw credentialUrlRefused('a new host needs its own apiKey (or null)', {
            details: { field: 'apiKey' },
          });
      }
      await db
        .updateTable('aiProviders')
        .set({ ...columnsOf(id, input, secretBox), updatedAtMs: Date.now() })
        .where('id', '=', id)
        .execute();
      remembered.delete(merchantId);
      return present(await find(merchantId, id));
    },
    async remove(merchantId, id) {
      refuseEnvironments(await find(merchantId, id));
      await db.deleteFrom('aiProviders').where('id', '=', id).execute();
      remembered.delete(merchantId);
    },
    async ensureFromEnvironment(provider, merchantId) {
      remembered.delete(merchantId);
      if (!provider) {
        await db.deleteFrom('aiProviders').where('id', '=', ENVIRONMENT_ID).execute();
        return;
      }
      const input = {
        name: 'From the environment',
        ...provider,
        transcriptionModel: provider.transcriptionModel ?? null,
      };
      const columns = columnsOf(ENVIRONMENT_ID, { ...input, apiKey: provider.apiKey ?? null }, secretBox);
      const row = {
        ...freshRow(ENVIRONMENT_ID, merchantId, input),
        ...columns,
        position: 0,
        origin: 'environment' as const,
      };
      await insertIgnore(db, database.dialect, 'aiProviders', [row], ['id']);
      await db
        .updateTable('aiProviders')
        .set({ ...columns, merchantId, updatedAtMs: Date.now() })
        .where('id', '=', ENVIRONMENT_ID)
        .execute();
    },
    usable(merchantId) {
      const known = remembered.get(merchantId);
      if (known && known.untilMs > performance.now()) return known.providers;
      const providers = load(merchantId);
      remembered.set(merchantId, { untilMs: performance.now() + REMEMBERED_MS, providers });
      providers.catch(() => remembered.delete(merchantId));
      // Merchants without traffic must not stay in memory.
      if (remembered.size > 10_000) remembered.clear();
      return providers;
    },
  };
}

function freshRow(
  id: string,
  merchantId: string,
  { name, baseUrl, model }: { name: string; baseUrl: string; model: string },
): AiProvidersTable {
  const now = Date.now();
  return {
    ...{ id, merchantId, name, baseUrl, model },
    position: 0,
    apiKeySealed: null,
    transcriptionModel: null,
    // OpenAI's newer models take the one, everybody else knows the other.
    tokenLimitParameter:
      new URL(baseUrl).hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens',
    inputPrice: 0,
    outputPrice: 0,
    minutePrice: 0,
    state: 'enabled',
    origin: 'api',
    createdAtMs: now,
    updatedAtMs: now,
  };
}

function columnsOf(id: string, input: ProviderInput, secretBox: SecretBox): Partial<AiProvidersTable> {
  const { name, baseUrl, model, transcriptionModel, tokenLimitParameter, position, state, apiKey } = input;
  const { inputPrice, outputPrice, minutePrice } = input;
  const columns = {
    ...{ name, baseUrl, model, transcriptionModel, tokenLimitParameter, position, state },
    ...{ inputPrice, outputPrice, minutePrice },
    apiKeySealed: apiKey === undefined || apiKey === null ? apiKey : secretBox.seal(apiKey, keyContext(id)),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

function present({ apiKeySealed, origin, ...row }: AiProvidersTable): ShownProvider {
  return { ...row, hasApiKey: apiKeySealed !== null, setByEnvironment: origin === 'environment' };
}
