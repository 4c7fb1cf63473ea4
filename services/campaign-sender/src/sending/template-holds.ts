import type { Executor } from '../database/scope.ts';

/** Templates that must not be sent, remembered for a few seconds. */
export interface TemplateHolds {
  /** @returns what holds a merchant's template back, if anything. */
  find(merchantId: string, template: string): Promise<'held' | 'dropped' | undefined>;
  forget(): void;
}

const REMEMBERED_MS = 2000;

/** Makes the memory of held templates: one small query for all merchants every two seconds of sending templates. */
export function createTemplateHolds(db: Executor): TemplateHolds {
  let untilMs = 0;
  let holds: Promise<Map<string, 'held' | 'dropped'>> | undefined;

  async function load() {
    const rows = await db.selectFrom('template_holds').select(['merchantId', 'template', 'state']).execute();
    return new Map(rows.map((row) => [`${row.merchantId}:${row.template}`, row.state]));
  }

  return {
    async find(merchantId, template) {
      if (!holds || performance.now() > untilMs) {
        untilMs = performance.now() + REMEMBERED_MS;
        holds = load();
        holds.catch(() => {
          holds = undefined;
        });
      }
      return (await holds).get(`${merchantId}:${template}`);
    },
    forget() {
      holds = undefined;
    },
  };
}
