import { isCodedError } from '@switchyard/errors';
import type { Budget } from '@switchyard/redis';
import type { GraphAnswer, GraphApi } from './graph-api.ts';

/** Look-ups of accounts, numbers and templates, which the provider counts by the hour and account. */
export interface ManagementGraph {
  /** Look-ups that count against an account; a number whose account is not known stands for itself. */
  of(account: ManagedAccount): Pick<GraphApi, 'get'>;
}

/** Whose hourly calls a look-up uses. */
export interface ManagedAccount {
  wabaId: string | null;
  phoneNumberId?: string;
}

/** What a call costs: the budget's points are thousandths of a call, for rates far below one a second. */
export const CALL_COST = 1000;

/** The provider's words for too many calls: of the app, of the account. */
const spentCodes: readonly number[] = [4, 80007];

/** The bucket of an account: a twelfth of the hour's calls at once, the rest spread over it, so that no hour sees more. */
export function managementBucket(callsPerHour: number): { maximum: number; restorePerSecond: number } {
  const atOnce = Math.max(1, Math.floor(callsPerHour / 12));
  const restorePerSecond = Math.max(1, Math.floor(((callsPerHour - atOnce) * CALL_COST) / 3600));
  return { maximum: atOnce * CALL_COST, restorePerSecond };
}

/**
 * Counts management calls of all processes against a shared budget. A call that would have to wait for long is not made: who asks is told
 * that the provider can't be asked now, and comes back later, as when it is away.
 */
export function createManagementGraph(
  graph: Pick<GraphApi, 'get'>,
  budget: Budget,
  callsPerHour: number,
): ManagementGraph {
  const bucket = managementBucket(callsPerHour);

  async function get(key: string, ...call: Parameters<GraphApi['get']>): Promise<GraphAnswer> {
    try {
      await budget.wait(key, CALL_COST);
    } catch (error) {
      if (!isCodedError(error) || error.code !== 'BUDGET_SPENT') throw error;
      return { kind: 'away', cause: 'the management calls of this hour are used up' };
    }
    const answer = await graph.get(...call);
    // Somebody else uses the same app, or the limit is lower than we think.
    if (answer.kind === 'refused' && spentCodes.includes(answer.code))
      await budget.update(key, { available: 0, ...bucket }, CALL_COST);
    return answer;
  }

  return {
    of: ({ wabaId, phoneNumberId }) => ({
      get: (...call) => get(wabaId ?? `number-${phoneNumberId}`, ...call),
    }),
  };
}
