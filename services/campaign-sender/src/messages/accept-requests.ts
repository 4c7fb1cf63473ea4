import type { JobMeta } from '@switchyard/jobs';
import { createId } from '@switchyard/runtime';
import type { Scope, Store } from '../database/scope.ts';
import { idempotencyKeyReused, messageInvalid } from '../errors.ts';
import { decideBeforeCall } from '../sending/decide-before-call.ts';
import { decideOnTemplate } from '../templates/decide-on-template.ts';
import type { TemplateFacts } from '../templates/template-facts.ts';
import type { WakeUps } from './create-wake-ups.ts';
import { digest, digestOf, findAnswer, keepAnswer } from './idempotent-requests.ts';
import type { Candidate } from './message-candidate.ts';
import type { MessageState } from './message-state.ts';
import { type OutgoingProblem, readOutgoing, type SendMessage } from './outgoing-message.ts';
import { type MessageToRecord, recordMessages } from './record-messages.ts';
import type { Recorder } from './recorder.ts';

/** Requests of one API call. */
export interface MessageRequests {
  merchantId: string;
  /** The caller's Idempotency-Key: the same key is the same messages. */
  idempotencyKey: string | undefined;
  /** The body as it came, to tell a repeat from another request. */
  body: unknown;
  /** The request's ids, for the jobs that follow from it. */
  meta: JobMeta;
  /** Who asks; the API by default. */
  origin?: SendMessage['origin'];
  /** What becomes true together with the messages: runs in their transaction, when none of them is refused. */
  alongside?: (scope: Scope) => Promise<void>;
  messages: readonly Pick<
    SendMessage,
    | 'to'
    | 'contactId'
    | 'content'
    | 'type'
    | 'senderId'
    | 'replyTo'
    | 'lane'
    | 'expiresAtMs'
    | 'onUnknown'
    | 'templateFallback'
  >[];
}

/** What a caller is told of a message that was taken. */
export interface AcceptedRequest {
  id: string;
  state: MessageState;
}

/** What was taken, and whether it is the answer to an earlier call. */
export interface AcceptedRequests {
  messages: AcceptedRequest[];
  isReplay: boolean;
}

/** A problem and the message that has it. */
export type RequestProblem = OutgoingProblem & { index: number };

type Templates = (TemplateFacts | undefined)[];
type Checks = Pick<Recorder, 'chooseSender' | 'check' | 'templateOf'>;

/** What accepting is made of. */
export interface AcceptingParts {
  store: Store;
  recorder: Checks;
  wakeUps: WakeUps;
}

/**
 * Records the messages of an API call, all or none, and queues their delivery.
 *
 * @throws MESSAGE_INVALID when one can't be sent; `details.problems` names all. IDEMPOTENCY_KEY_REUSED for the same key with another
 * body.
 */
export async function acceptRequests(
  { store, recorder, wakeUps }: AcceptingParts,
  requests: MessageRequests,
): Promise<AcceptedRequests> {
  const { merchantId, idempotencyKey, body, meta } = requests;
  const requestHash = digestOf(body);
  const keyed = idempotencyKey === undefined ? undefined : { merchantId, key: idempotencyKey, requestHash };
  const earlier = keyed && (await findAnswer(store.db, keyed));
  if (earlier) return { messages: earlier as AcceptedRequest[], isReplay: true };

  const { items, templates, problems } = await checkRequests(recorder, requests, requestHash);
  refuse(problems);
  const answer = items.map(({ message }): AcceptedRequest => ({ id: message.id, state: 'queued' }));
  return await store.inScope(async (scope) => {
    const { trx, enqueue } = scope;
    if (keyed && !(await keepAnswer(trx, store, keyed, answer, store.now()))) {
      const first = await findAnswer(trx, keyed);
      return { messages: first as AcceptedRequest[], isReplay: true };
    }
    const recorded = await recordMessages(trx, store.dialect, items, store.now());
    if (keyed) await refuseOtherBody(scope, recorded, requestHash);
    refuse(recipientProblems(recorded, templates, store.now()));
    await requests.alongside?.(scope);
    const untried = recorded.filter(({ state, attempts }) => state === 'queued' && attempts === 0);
    const wanted = untried.map((candidate) => ({ ...candidate, turn: 0 }));
    for (const job of wakeUps(wanted, meta)) enqueue(job);
    return { messages: recorded.map(({ id, state }) => ({ id, state })), isReplay: false };
  });
}

/** Ends a trial's transaction, so that it leaves nothing behind. */
class TrialOver extends Error {
  readonly problems: RequestProblem[];

  constructor(problems: RequestProblem[]) {
    super('the trial is over');
    this.problems = problems;
  }
}

/** Finds everything that {@link acceptRequests} would refuse, and records nothing. */
export async function tryRequests(
  store: Store,
  checks: Checks,
  requests: MessageRequests,
): Promise<RequestProblem[]> {
  const { items, templates, problems } = await checkRequests(checks, requests, undefined);
  if (problems.length > 0) return problems;
  try {
    return await store.inScope(async ({ trx }) => {
      const recorded = await recordMessages(trx, store.dialect, items, store.now());
      throw new TrialOver(recipientProblems(recorded, templates, store.now()));
    });
  } catch (error) {
    if (error instanceof TrialOver) return error.problems;
    throw error;
  }
}

async function checkRequests(
  { chooseSender, check, templateOf }: Checks,
  { merchantId, idempotencyKey, messages, origin = { kind: 'api' } }: MessageRequests,
  requestHash: string | undefined,
): Promise<{ items: MessageToRecord[]; templates: Templates; problems: RequestProblem[] }> {
  const items: MessageToRecord[] = [];
  const templates: Templates = [];
  const problems: RequestProblem[] = [];
  for (const [index, request] of messages.entries()) {
    const id = idempotencyKey === undefined ? createId('msg') : keyedId(merchantId, idempotencyKey, index);
    const read = readOutgoing(
      { lane: 'transactional', ...request, origin },
      { id, merchantId, ...(requestHash === undefined ? {} : { requestHash }) },
    );
    const sender = await chooseSender(read.message);
    const found = read.problem ?? (sender ? await check(read.message, sender) : senderUnknown);
    if (found) problems.push({ index, ...found });
    templates.push(found ? undefined : await templateOf(read.message, sender));
    items.push({ message: read.message, problem: undefined, senderId: sender?.id ?? null });
  }
  return { items, templates, problems };
}

const senderUnknown: OutgoingProblem = {
  code: 'SENDER_UNKNOWN',
  field: 'senderId',
  message: 'names no number of this merchant, or there is none to send from',
};

/**
 * What only the contact tells: whether the window is open, whether a phone number is known. Who wants no messages is not refused but
 * skipped, on record.
 */
function recipientProblems(
  recorded: readonly Candidate[],
  templates: Templates,
  nowMs: number,
): RequestProblem[] {
  return recorded.flatMap((candidate, index) => {
    if (candidate.state !== 'queued' || candidate.attempts > 0) return [];
    const byTemplate = decideOnTemplate(candidate, templates[index]);
    if (byTemplate.kind === 'settle' && byTemplate.code === '131062')
      return [
        {
          index,
          code: 'PHONE_REQUIRED',
          field: 'to',
          message: `must be a phone number: ${byTemplate.reason}`,
        },
      ];
    const decision = decideBeforeCall(candidate, nowMs);
    if (decision.kind !== 'settle') return [];
    if (decision.code === '131047')
      return [
        { index, code: 'WINDOW_CLOSED', field: 'type', message: `must be template: ${decision.reason}` },
      ];
    if (decision.code === 'EXPIRED')
      return [{ index, code: 'EXPIRED', field: 'expiresAtMs', message: 'must be in the future' }];
    return [];
  });
}

/** @throws MESSAGE_INVALID */
function refuse(problems: readonly RequestProblem[]): void {
  const [first] = problems;
  if (!first) return;
  const { index, field, code, message } = first;
  throw messageInvalid(`message ${index}: ${field} ${message}`, {
    details: { index, field, code, problems },
  });
}

/** A key whose answer is forgotten still names its messages. */
async function refuseOtherBody(
  { trx }: Scope,
  recorded: readonly Candidate[],
  requestHash: string,
): Promise<void> {
  const rows = await trx
    .selectFrom('messages')
    .select('requestHash')
    .where(
      'id',
      'in',
      recorded.map(({ id }) => id),
    )
    .execute();
  if (rows.some((row) => row.requestHash !== requestHash))
    throw idempotencyKeyReused('this Idempotency-Key came with another request before');
}

function keyedId(merchantId: string, key: string, index: number): string {
  return `msg_k${digest(merchantId, key, String(index)).slice(0, 40)}`;
}
