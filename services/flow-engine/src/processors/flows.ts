import type { Processors } from '@switchyard/jobs';
import type { Drain } from '../conversations/create-drain.ts';
import type { Inbox } from '../conversations/create-inbox.ts';
import type { SendRelease } from '../conversations/release-sends.ts';

/**
 * The processors of `flows`. Each keeps its input in the contact's inbox, once, and then drains that inbox.
 *
 * Dies before the inbox: the job is tried again. After it: the next try, the next input, or a sweeper drains.
 */
export function createFlowProcessors(deps: {
  inbox: Inbox;
  drain: Drain;
  sends: SendRelease;
}): Processors<'flows'> {
  const { inbox, drain, sends } = deps;
  return {
    async 'handle-event'(payload, { signal }) {
      const { merchantId, eventId, sequence } = payload;
      const contact = { merchantId, contactId: payload.contact.id };
      await inbox.put('event', contact, { key: eventId, sequence, payload });
      await drain(contact, signal);
    },
    async 'start-run'(payload, { signal }) {
      const contact = { merchantId: payload.merchantId, contactId: payload.contact.id };
      await inbox.put('start', contact, { key: payload.startId, sequence: 0, payload });
      await drain(contact, signal);
    },
    async 'resume-run'(payload, { signal }) {
      const { merchantId, contactId, runId, waitId } = payload;
      const contact = { merchantId, contactId };
      await inbox.put('timer', contact, { key: `${runId}_${waitId}`, sequence: 0, payload });
      await drain(contact, signal);
    },
    'record-message-outcome': (payload) => sends.recordOutcome(payload),
  };
}
