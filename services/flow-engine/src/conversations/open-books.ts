import { type DialectName, type Transaction, upsert } from '@switchyard/database';
import type { ConversationsTable, FlowTables, RunJournalTable, RunsTable } from '../database/tables.ts';
import { addCounts } from '../statistics/add-counts.ts';
import { countRuns } from '../statistics/count-runs.ts';
import { type ContactKey, contactName, ofContacts } from './create-inbox.ts';

/**
 * What a transaction knows of its contacts, read once for all of them, and what it will write of them, written once for all of them:
 * a batch of thirty contacts costs the statements of one.
 */
export interface Books {
  conversation(contact: ContactKey): ConversationsTable | undefined;
  saveConversation(conversation: ConversationsTable): void;
  /** The contact's runs that wait, as this transaction has left them so far; the one that moved last comes first. */
  waitingRuns(contact: ContactKey): RunsTable[];
  /** A run of the contact that has ended, as this transaction has left it; kept for it. Undefined: there is none. */
  endedRun(contact: ContactKey, id: string): Promise<RunsTable | undefined>;
  /** Keeps a new run, or what has become of one. */
  saveRun(run: RunsTable): void;
  /** Keeps a line of a run's journal. Its number is taken once, so that no two processes can both advance a run. */
  addJournal(line: RunJournalTable): void;
  /** Writes everything that was kept. Call it at the end of the transaction. */
  write(): Promise<void>;
}

/** Reads the conversations and waiting runs of these contacts, and keeps them for this transaction: others wait to change them. */
export async function openBooks(
  trx: Transaction<FlowTables>,
  dialect: DialectName,
  contacts: readonly ContactKey[],
): Promise<Books> {
  const conversations = new Map<string, ConversationsTable>();
  const runs = new Map<string, Map<string, RunsTable>>();
  const changedConversations = new Set<string>();
  const newRuns = new Map<string, RunsTable>();
  const changedRuns = new Map<string, RunsTable>();
  const journal: RunJournalTable[] = [];
  /** As they were when this transaction began. */
  const known = new Map<string, RunsTable>();

  const found = await trx
    .selectFrom('conversations')
    .selectAll()
    .where(ofContacts(contacts))
    .$if(dialect === 'mysql', (query) => query.forUpdate())
    .execute();
  for (const row of found) conversations.set(contactName(row), row);
  // A contact without a conversation has no run either.
  if (found.length > 0) {
    const waiting = await trx
      .selectFrom('runs')
      .selectAll()
      .where(ofContacts(found))
      .where('status', '=', 'waiting')
      .$if(dialect === 'mysql', (query) => query.forUpdate())
      .execute();
    for (const row of waiting) {
      known.set(row.id, row);
      runsOf(row).set(row.id, row);
    }
  }

  function runsOf(contact: ContactKey): Map<string, RunsTable> {
    const name = contactName(contact);
    const theirs = runs.get(name) ?? new Map<string, RunsTable>();
    runs.set(name, theirs);
    return theirs;
  }

  return {
    conversation: (contact) => conversations.get(contactName(contact)),
    saveConversation(conversation) {
      conversations.set(contactName(conversation), conversation);
      changedConversations.add(contactName(conversation));
    },
    waitingRuns: (contact) =>
      [...runsOf(contact).values()]
        .filter(({ status }) => status === 'waiting')
        .sort((a, b) => b.updatedAtMs - a.updatedAtMs || (a.id < b.id ? 1 : -1)),
    async endedRun(contact, id) {
      const kept = runsOf(contact).get(id);
      if (kept) return kept.status === 'waiting' ? undefined : kept;
      const run = await trx
        .selectFrom('runs')
        .selectAll()
        .where('id', '=', id)
        .where('merchantId', '=', contact.merchantId)
        .where('contactId', '=', contact.contactId)
        .$if(dialect === 'mysql', (query) => query.forUpdate())
        .executeTakeFirst();
      if (run) known.set(run.id, run);
      return run;
    },
    saveRun(run) {
      runsOf(run).set(run.id, run);
      (known.has(run.id) ? changedRuns : newRuns).set(run.id, run);
    },
    addJournal: (line) => void journal.push(line),
    async write() {
      if (newRuns.size > 0)
        await trx
          .insertInto('runs')
          .values([...newRuns.values()])
          .execute();
      const changed = [...changedRuns.values()];
      if (changed.length > 0)
        await upsert(trx, dialect, 'runs', changed, ['id'], columnsBeside(changed[0]!, ['id']));
      if (journal.length > 0) await trx.insertInto('runJournal').values(journal).execute();
      const saved = [...changedConversations].map((name) => conversations.get(name)!);
      const key = ['merchantId', 'contactId'] as const;
      if (saved.length > 0)
        await upsert(trx, dialect, 'conversations', saved, key, columnsBeside(saved[0]!, key));
      const moved = [...newRuns.values(), ...changed].map((after) => ({
        before: known.get(after.id),
        after,
      }));
      await addCounts(trx, dialect, countRuns(moved, journal), Date.now());
    },
  };
}

function columnsBeside<Row extends object>(row: Row, key: readonly (keyof Row)[]): (keyof Row & string)[] {
  return (Object.keys(row) as (keyof Row & string)[]).filter((column) => !key.includes(column));
}
