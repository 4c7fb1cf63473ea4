import type { Executor } from '../database/scope.ts';

/** What the provider says of a number; what it does not say is left out. */
export interface NumberFacts {
  displayPhoneNumber?: string;
  verifiedName?: string;
  nameStatus?: string;
  providerStatus?: string;
  qualityRating?: string;
  messagingLimitTier?: string;
  throughputLevel?: string;
}

type Loose = Record<string, unknown>;

/** Fields of a number that are asked for. */
export const numberFields =
  'id,display_phone_number,verified_name,quality_rating,throughput,messaging_limit_tier,status,name_status,is_on_biz_app';
/** Fields that every version of the API has, for when it refuses one of the others. */
export const basicNumberFields = 'id,display_phone_number,verified_name,quality_rating';

/** A number that its owner also uses on a phone (coexistence) is as slow as that. */
const ON_BUSINESS_APP = 'BUSINESS_APP';
const throughputs: Readonly<Record<string, number>> = { STANDARD: 80, HIGH: 1000, [ON_BUSINESS_APP]: 20 };

/** Messages per second that a level allows, both ways together; undefined where the provider has not said. */
export function throughputOf(level: string | null | undefined): number | undefined {
  return level === null || level === undefined ? undefined : throughputs[level];
}

/** People that a tier lets be written to per day outside their windows: null without limit, undefined for a word we don't know. */
export function peoplePerDayOf(tier: string | undefined): number | null | undefined {
  if (tier === 'TIER_UNLIMITED' || tier === 'UNLIMITED') return null;
  const match = /^(?:TIER_)?(\d+)(K?)$/.exec(tier ?? '');
  return match ? Number(match[1]) * (match[2] === 'K' ? 1000 : 1) : undefined;
}

/** Reads a number as the Graph API shows it. */
export function readNumberFacts(number: Loose): NumberFacts {
  const word = (key: string) => {
    const value = number[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const throughput = number.throughput as { level?: unknown } | undefined;
  const level =
    number.is_on_biz_app === true
      ? ON_BUSINESS_APP
      : typeof throughput?.level === 'string'
        ? throughput.level
        : undefined;
  return defined({
    displayPhoneNumber: word('display_phone_number'),
    verifiedName: word('verified_name'),
    nameStatus: word('name_status'),
    providerStatus: word('status'),
    qualityRating: word('quality_rating'),
    messagingLimitTier: word('messaging_limit_tier'),
    throughputLevel: level,
  });
}

/** Leaves out what is undefined. */
export function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

/** Sets what is known of numbers; one that follows the provider gets the rate that it allows. */
export async function writeNumberFacts(
  trx: Executor,
  senderIds: readonly string[],
  facts: NumberFacts,
  nowMs: number,
): Promise<void> {
  if (senderIds.length === 0 || Object.keys(facts).length === 0) return;
  const people = peoplePerDayOf(facts.messagingLimitTier);
  await trx
    .updateTable('senders')
    .set({ ...facts, ...(people === undefined ? {} : { peoplePerDay: people }), updatedAtMs: nowMs })
    .where('id', 'in', senderIds)
    .execute();
  const allowed = throughputOf(facts.throughputLevel);
  if (allowed === undefined) return;
  await trx
    .updateTable('senders')
    .set({ messagesPerSecond: allowed })
    .where('id', 'in', senderIds)
    .where('followsProvider', '=', 1)
    .execute();
}

/** Numbers of a merchant whose digits are those of a display number, which a webhook names instead of an id. */
export async function findByDisplayNumber(
  trx: Executor,
  merchantId: string,
  displayPhoneNumber: string,
): Promise<string[]> {
  const digits = displayPhoneNumber.replaceAll(/\D/g, '');
  if (digits === '') return [];
  const rows = await trx
    .selectFrom('senders')
    .select(['id', 'displayPhoneNumber'])
    .where('merchantId', '=', merchantId)
    .where('displayPhoneNumber', 'is not', null)
    .execute();
  return rows.filter((row) => row.displayPhoneNumber?.replaceAll(/\D/g, '') === digits).map(({ id }) => id);
}
