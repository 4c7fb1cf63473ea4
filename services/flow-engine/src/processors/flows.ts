import type { Database } from '@switchyard/database';
import type { Processors } from '@switchyard/jobs';
import type { CallProcessors } from '../calls/create-call-processors.ts';
import type { createErasure } from '../conversations/create-erasure.ts';
import { toInboxRow } from '../conversations/create-inbox.ts';
import type { TakeIn } from '../conversations/create-intake.ts';
import type { SendRelease } from '../conversations/release-sends.ts';
import type { FlowTables } from '../database/tables.ts';
import { wakeKey } from '../runs/resume-due-runs.ts';
import type { ShopStore } from '../shopify/shop-store.ts';
import { saveTemplateSet } from '../templates/template-sets.ts';

/**
 * The processors of `flows`.
 *
 * Dies before the input is recorded: the job is tried again. After it: the next try, the next input, or a sweeper applies it.
 */
export function createFlowProcessors(deps: {
  takeIn: TakeIn;
  sends: SendRelease;
  erase: ReturnType<typeof createErasure>;
  calls: Pick<CallProcessors, 'execute-call'>;
  database: Database<FlowTables>;
  shops: Pick<ShopStore, 'stop'>;
}): Required<Processors<'flows'>> {
  const { takeIn, sends, erase, calls, database, shops } = deps;
  return {
    'handle-event': (payload, { signal }) => {
      const { merchantId, eventId, sequence } = payload;
      const contact = { merchantId, contactId: payload.contact.id };
      return takeIn(toInboxRow('event', contact, { key: eventId, sequence, payload }), signal);
    },
    'start-run': (payload, { signal }) => {
      const contact = { merchantId: payload.merchantId, contactId: payload.contact.id };
      return takeIn(toInboxRow('start', contact, { key: payload.startId, sequence: 0, payload }), signal);
    },
    'resume-run': (payload, { signal }) => {
      const { reason } = payload;
      return takeIn(
        toInboxRow('timer', payload, { key: wakeKey(payload), sequence: 0, payload }),
        signal,
        // Nobody sits in front of a screen until a time has come; a call's result is part of an answer.
        { isBackground: reason === 'timer' || reason === 'timeout' },
      );
    },
    async 'record-message-outcome'(payload, { signal }) {
      const contact = await sends.recordOutcome(payload);
      if (!contact || payload.outcome === 'accepted') return;
      const key = `${payload.messageId}_${payload.outcome}_branch`;
      await takeIn(toInboxRow('outcome', contact, { key, sequence: 0, payload }), signal);
    },
    'execute-call': calls['execute-call'],
    'set-handover': (payload, { signal }) =>
      takeIn(toInboxRow('handover', payload, { key: payload.changeId, sequence: 0, payload }), signal),
    'erase-person': (payload) => erase(payload),
    'set-templates': async (payload) => ({ saved: await saveTemplateSet(database, payload) }),
    async 'stop-source'({ merchantId, sourceKind, sourceKey, reason, stoppedAtMs }, { logger }) {
      if (sourceKind !== 'shopify') return;
      if (await shops.stop(merchantId, sourceKey, { reason, stoppedAtMs }))
        logger.warn({ merchantId, shopDomain: sourceKey, reason }, 'a shop takes no more look-ups');
    },
  };
}
