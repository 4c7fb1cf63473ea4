import type { Logger } from 'pino';
import type { InboxTable } from '../database/tables.ts';
import type { AppliedInput } from './applied-input.ts';
import type { SessionWriter } from './create-session-writer.ts';

/** Tells of an input whose transaction is committed: log, metrics, and the session's copy. */
export type ReportApplied = (applied: AppliedInput, row: InboxTable) => void;

/** Makes {@link ReportApplied}. */
export function createReportApplied(deps: {
  sessions: SessionWriter;
  logger: Logger;
  count: (applied: AppliedInput) => void;
}): ReportApplied {
  const { sessions, logger, count } = deps;
  return (applied, { contactId, sequence }) => {
    const { missing, isLate, outcome, session } = applied;
    if (missing > 0 && outcome !== 'gap')
      logger.warn(
        { contactId, sequence, missing },
        'a conversation goes on without events that did not come',
      );
    if (isLate)
      logger.warn(
        { contactId, sequence },
        'an event came after its place in the conversation had been passed',
      );
    if (session) sessions.write(session.key, session.session);
    count(applied);
  };
}
