import { setTimeout as delay } from 'node:timers/promises';
import { isCodedError } from '@switchyard/errors';
import { type Budget, budgetSpent, circuitOpen, type SharedBreaker } from '@switchyard/redis';
import type { SafeClient, SafeResponse } from '@switchyard/safe-http';
import { shopAway, shopRefused, shopThrottled, shopUnauthorized } from '../errors.ts';
import { parseJson } from '../http/parse-json.ts';
import type { TokenKeeper } from './create-token-keeper.ts';
import type { ShopsTable } from './tables.ts';

/** A query of the Admin API. */
export interface Operation {
  /** As in its text; tells queries apart whose cost is remembered. */
  name: string;
  text: string;
  /** What it is assumed to cost until Shopify has said so. */
  cost: number;
}

/** A page of a connection. */
export interface Page<T> {
  nodes: T[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** Shopify's Admin API, GraphQL. */
export interface AdminClient {
  /**
   * Asks. The shop's cost budget is shared by all instances, and waited for.
   *
   * @throws SHOP_REFUSED, SHOP_UNAUTHORIZED (never), SHOP_THROTTLED, SHOP_AWAY, SHOP_TOKEN_BUSY (retry)
   */
  query<T>(
    shop: ShopsTable,
    operation: Operation,
    variables: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<T>;
  /** All nodes of a connection, page by page, `most` of them at most. */
  pages<T>(
    shop: ShopsTable,
    operation: Operation,
    options: {
      variables: Record<string, unknown>;
      read: (data: never) => Page<T> | null | undefined;
      after?: string | null;
      most: number;
      signal: AbortSignal;
    },
  ): AsyncGenerator<T>;
}

/** What {@link createAdminClient} needs. */
export interface AdminClientParts {
  client: SafeClient;
  tokens: TokenKeeper;
  budget: Budget;
  /** One per shop; counts calls without an answer, and 5xx. */
  breaker: SharedBreaker;
  baseUrlOf: (shopDomain: string) => string;
  version: string;
}

/** How often a throttled query is asked again in place, before the job's attempts are spent on it. */
const THROTTLED_MOST = 3;
/** Longest pause in place. */
const PAUSE_MOST_MS = 5000;

interface ThrottleStatus {
  maximumAvailable: number;
  currentlyAvailable: number;
  restoreRate: number;
}
interface Answer {
  data?: unknown;
  errors?: unknown;
  extensions?: { cost?: { requestedQueryCost?: number; throttleStatus?: ThrottleStatus } };
}

/** Makes the client. */
export function createAdminClient(parts: AdminClientParts): AdminClient {
  const { client, tokens, budget, breaker, baseUrlOf, version } = parts;
  /** What queries were said to cost, by name. */
  const costs = new Map<string, number>();

  async function post(
    shop: ShopsTable,
    token: string,
    body: string,
    signal: AbortSignal,
  ): Promise<SafeResponse> {
    return breaker.run(shop.id, async () => {
      const answer = await client.request({
        method: 'POST',
        url: `${baseUrlOf(shop.shopDomain)}/admin/api/${version}/graphql.json`,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'x-shopify-access-token': token,
        },
        body,
        signal,
      });
      if (answer.status >= 500) throw shopAway(`the shop answered ${answer.status}`);
      return answer;
    });
  }

  /** Asks once, under a token that is refreshed once if need be. */
  async function ask(shop: ShopsTable, body: string, signal: AbortSignal): Promise<SafeResponse> {
    const token = await tokens.accessToken(shop, { signal });
    const answer = await post(shop, token, body, signal);
    if (answer.status !== 401) return answer;
    const fresh = await tokens.accessToken(shop, { refused: token, signal });
    const again = await post(shop, fresh, body, signal);
    if (again.status === 401) throw shopUnauthorized('Shopify refuses a token that it has just made');
    return again;
  }

  async function query<T>(
    shop: ShopsTable,
    operation: Operation,
    variables: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<T> {
    const body = JSON.stringify({ query: operation.text, operationName: operation.name, variables });
    for (let throttled = 0; ; throttled += 1) {
      const booked = costs.get(operation.name) ?? operation.cost;
      await budget.wait(shop.id, booked, signal);
      const response = await ask(shop, body, signal);
      const answer = read(response);
      const { requestedQueryCost, throttleStatus } = answer.extensions?.cost ?? {};
      if (requestedQueryCost !== undefined && requestedQueryCost > 0)
        costs.set(operation.name, requestedQueryCost);
      if (throttleStatus) await budget.update(shop.id, reportOf(throttleStatus), booked);
      if (!isThrottled(response, answer)) return unwrap<T>(response, answer);
      const pauseMs = pauseOf(response, requestedQueryCost ?? booked, throttleStatus);
      if (throttled >= THROTTLED_MOST || pauseMs > PAUSE_MOST_MS)
        throw shopThrottled('the shop has no room for the query now', { details: { pauseMs } });
      await delay(pauseMs, undefined, { signal });
    }
  }

  return {
    async query<T>(...args: Parameters<AdminClient['query']>) {
      try {
        return await query<T>(...args);
      } catch (error) {
        throw explain(error);
      }
    },
    async *pages<T>(shop: ShopsTable, operation: Operation, options: Parameters<AdminClient['pages']>[2]) {
      const { variables, most, signal } = options;
      const readPage = options.read as (data: never) => Page<T> | null | undefined;
      let after = options.after ?? null;
      for (let left = most; left > 0; ) {
        const page = readPage(await this.query<never>(shop, operation, { ...variables, after }, signal));
        for (const node of page?.nodes ?? []) {
          yield node;
          left -= 1;
          if (left === 0) return;
        }
        if (
          !page?.pageInfo.hasNextPage ||
          page.pageInfo.endCursor === null ||
          page.pageInfo.endCursor === after
        )
          return;
        after = page.pageInfo.endCursor;
      }
    },
  };
}

/** Whether the shop, and not the query, is what failed. */
export function isShopFailure(error: unknown): boolean {
  return isCodedError(error) && error.outcome === 'retry';
}

/** Nobody waits without a limit for a circuit or a budget: attempts are spent on it. */
function explain(error: unknown): unknown {
  if (!isCodedError(error)) return error;
  if (error.code === circuitOpen.code)
    return shopAway('the shop has failed for some time, and is left alone for a while', { cause: error });
  if (error.code === budgetSpent.code)
    return shopThrottled("the shop's budget is spent for longer", { cause: error });
  if (error.code === 'REQUEST_FAILED' || error.code === 'REQUEST_TIMED_OUT')
    return shopAway(`the shop gave no answer: ${error.message}`, { cause: error });
  return error;
}

function read({ status, body }: SafeResponse): Answer {
  try {
    return (parseJson(body.toString('utf8')) ?? {}) as Answer;
  } catch (cause) {
    if (status === 429) return {};
    throw shopAway(`the shop answered ${status} with something that is no JSON`, { cause });
  }
}

const reportOf = ({ maximumAvailable, currentlyAvailable, restoreRate }: ThrottleStatus) => ({
  available: currentlyAvailable,
  maximum: maximumAvailable,
  restorePerSecond: restoreRate,
});

const errorsOf = ({ errors }: Answer): { message?: string; extensions?: { code?: string } }[] =>
  Array.isArray(errors) ? errors : typeof errors === 'string' ? [{ message: errors }] : [];

function isThrottled({ status }: SafeResponse, answer: Answer): boolean {
  return status === 429 || errorsOf(answer).some(({ extensions }) => extensions?.code === 'THROTTLED');
}

/** As long as the missing points take to come back; without a word of them, what `Retry-After` says. */
function pauseOf({ headers }: SafeResponse, cost: number, status: ThrottleStatus | undefined): number {
  if (status && status.restoreRate > 0)
    return Math.max(100, Math.ceil(((cost - status.currentlyAvailable) / status.restoreRate) * 1000));
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 1000;
}

function unwrap<T>({ status }: SafeResponse, answer: Answer): T {
  const [problem] = errorsOf(answer);
  if (status !== 200 || problem || answer.data === undefined || answer.data === null) {
    const told = problem?.message?.slice(0, 300);
    throw shopRefused(`the shop refused the query (${status})${told === undefined ? '' : `: ${told}`}`);
  }
  return answer.data as T;
}
