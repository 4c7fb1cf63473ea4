import { upsert } from '@switchyard/database';
import type { Dialect, Executor } from '../database/scope.ts';

/** What a merchant can decide about people. */
export interface PeopleSettings {
  /** Whether a phone number in a Shopify or custom event makes a contact where nobody has it. */
  createContactsFromEvents: boolean;
  /** ISO code of the country where numbers without a country code are dialled, where the event names none. */
  defaultCountry: string | null;
  /** How long a person keeps a conversation after a reply; null: until it is released. */
  handoverMinutes: number | null;
  /** For how long a message that quotes nothing counts as an answer to a campaign; 0: never. */
  campaignReplyHours: number;
}

/** What holds for a merchant that has decided nothing. */
export const defaultPeopleSettings: PeopleSettings = {
  createContactsFromEvents: true,
  defaultCountry: null,
  handoverMinutes: 24 * 60,
  campaignReplyHours: 72,
};

/** The settings of merchants, remembered for a few seconds. */
export interface PeopleSettingsStore {
  of(merchantId: string): Promise<PeopleSettings>;
  change(merchantId: string, changes: Partial<PeopleSettings>): Promise<PeopleSettings>;
}

const REMEMBERED_MS = 5000;
const MERCHANTS_MOST = 20_000;

/** Makes the store. */
export function createPeopleSettings(db: Executor, dialect: Dialect): PeopleSettingsStore {
  const remembered = new Map<string, { untilMs: number; settings: Promise<PeopleSettings> }>();

  async function load(merchantId: string): Promise<PeopleSettings> {
    const row = await db
      .selectFrom('people_settings')
      .select('settings')
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    return { ...defaultPeopleSettings, ...(row && (JSON.parse(row.settings) as Partial<PeopleSettings>)) };
  }

  return {
    of(merchantId) {
      const known = remembered.get(merchantId);
      if (known && known.untilMs > performance.now()) return known.settings;
      if (remembered.size >= MERCHANTS_MOST) remembered.clear();
      const settings = load(merchantId);
      remembered.set(merchantId, { untilMs: performance.now() + REMEMBERED_MS, settings });
      settings.catch(() => remembered.delete(merchantId));
      return settings;
    },
    async change(merchantId, changes) {
      const settings = { ...(await load(merchantId)), ...changes };
      const row = { merchantId, settings: JSON.stringify(settings), updatedAtMs: Date.now() };
      await upsert(db, dialect, 'people_settings', [row], ['merchantId'], ['settings', 'updatedAtMs']);
      remembered.delete(merchantId);
      return settings;
    },
  };
}
