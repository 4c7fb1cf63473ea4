import type { Settings } from '../settings.ts';
import type { AcceptedLog, AcceptedMessage, Repeat } from './accepted-log.ts';
import type { CustomerWindows } from './customer-windows.ts';
import type { FaultInput, Faults } from './faults.ts';
import { type GraphError, graphError } from './graph-error.ts';
import { newWamid } from './identifiers.ts';
import type { Incident } from './incident-log.ts';
import type { MediaStore } from './media-store.ts';
import { type BusinessNumber, throughputOf } from './numbers.ts';
import { readOpaqueData } from './opaque-data.ts';
import type { PairLimit } from './pair-limit.ts';
import { detailsOf } from './render-status.ts';
import type { StatusPlanner } from './status-planner.ts';
import type { Templates } from './templates.ts';
import type { ThroughputLimit } from './throughput-limit.ts';
import { type SendRequest, validateSend } from './validate-send.ts';
import { validateTemplate } from './validate-template.ts';

type Json = Record<string, unknown>;

/** What the caller of a send gets to see. */
export type SendOutcome =
  | { readonly kind: 'answer'; readonly body: string; readonly delayMs: number }
  | { readonly kind: 'refuse'; readonly error: GraphError }
  /** A gateway in between answers for the provider, with a page of its own. */
  | { readonly kind: 'page'; readonly status: number }
  /** The connection ends without an answer. */
  | { readonly kind: 'cut' }
  /** The connection stays open without an answer. */
  | { readonly kind: 'silence' };

/** Decides what becomes of a request to send. */
export interface SendGate {
  send(number: BusinessNumber, payload: Json): SendOutcome;
  /** Marks a message read, perhaps with a typing indicator. */
  markRead(number: BusinessNumber, payload: Json): SendOutcome;
}

/** What a {@link SendGate} needs. */
export interface SendGateOptions {
  settings: () => Settings;
  opaquePattern: () => RegExp;
  templates: Templates;
  media: MediaStore;
  faults: Faults;
  windows: CustomerWindows;
  throughput: ThroughputLimit;
  pairs: PairLimit;
  accepted: AcceptedLog;
  planner: StatusPlanner;
  onAccepted: (message: AcceptedMessage, repeats: Repeat[]) => void;
  onIncident: (incident: Omit<Incident, 'sequence' | 'atMs'>) => void;
  onRead: (messageId: string, typing: boolean) => void;
}

type Subject = Pick<Incident, 'to' | 'messageId' | 'attempt' | 'wamid'>;

const refuse = (error: GraphError): SendOutcome => ({ kind: 'refuse', error });
const failCodeOf = ({ code = 131026 }: { code?: number | undefined }) => code;
const missing = (name: string) => refuse(graphError(100, undefined, `The parameter ${name} is required.`));

/**
 * Creates a {@link SendGate}. In order: validation, faults before acceptance, window, throughput, pair limit,
 * acceptance, faults after it.
 */
export function createSendGate(options: SendGateOptions): SendGate {
  const { settings, templates, media, faults, windows, throughput, pairs, accepted, planner } = options;

  /** The outcome of the first fault that comes before acceptance. */
  function strikeBefore(strikes: readonly FaultInput[], subject: Subject): SendOutcome | undefined {
    for (const strike of strikes) {
      const note = (code?: number) =>
        options.onIncident({ kind: strike.kind, accepted: false, ...subject, code });
      switch (strike.kind) {
        case 'hang':
          note();
          return { kind: 'silence' };
        case 'cut-before':
          note();
          return { kind: 'cut' };
        case 'gateway':
          if (strike.accepted) break;
          note(strike.status);
          return { kind: 'page', status: strike.status };
        case 'status':
          note(strike.status);
          return refuse({ ...graphError(131000), httpStatus: strike.status });
        case 'error': {
          note(strike.code);
          const error = graphError(strike.code, strike.details ?? 'Asked for by a fault of the simulator');
          return refuse({ ...error, httpStatus: strike.httpStatus ?? error.httpStatus });
        }
      }
    }
    return undefined;
  }

  /** The outcome of the faults that come after acceptance. */
  function strikeAfter(strikes: readonly FaultInput[], subject: Subject, body: string): SendOutcome {
    let outcome: SendOutcome = { kind: 'answer', body, delayMs: 0 };
    for (const strike of strikes) {
      // The planner notes withheld receipts itself, with those that chance withholds.
      if (strike.kind !== 'withhold-receipts') {
        const code = strike.kind === 'fail' ? failCodeOf(strike) : undefined;
        options.onIncident({ kind: strike.kind, accepted: true, ...subject, code });
      }
      if (strike.kind === 'slow' && outcome.kind === 'answer')
        outcome = { ...outcome, delayMs: strike.delayMs };
      if (strike.kind === 'gateway') outcome = { kind: 'page', status: strike.status };
      if (strike.kind === 'cut-after') outcome = { kind: 'cut' };
      if (strike.kind === 'no-response') outcome = { kind: 'silence' };
    }
    return outcome;
  }

  const isWindowClosed = (pair: string, { type }: SendRequest) =>
    type !== 'template' && !windows.isOpen(pair, settings().window.durationMs);

  function checkLimits(number: BusinessNumber, pair: string, request: SendRequest): GraphError | undefined {
    const { limits, window } = settings();
    if (window.mode === 'reject' && isWindowClosed(pair, request))
      return graphError(131047, detailsOf(131047));
    if (limits.throughput && throughput.current(number.id) >= throughputOf(number)) {
      return graphError(130429, 'Cloud API message throughput has been reached.');
    }
    const rule = { intervalMs: limits.pairIntervalMs, burst: limits.pairBurst };
    if (limits.pair && pairs.take(pair, rule) > 0) return graphError(131056, detailsOf(131056));
    throughput.count(number.id);
    return undefined;
  }

  function categoryOf(number: BusinessNumber, request: SendRequest): string {
    if (request.type !== 'template') return 'service';
    const { name, language } = request.content as { name: string; language: { code: string } };
    return templates.find(number.businessAccountId, name, language.code)?.category.toLowerCase() ?? 'utility';
  }

  function accept(
    number: BusinessNumber,
    pair: string,
    request: SendRequest,
    payload: Json,
    strikes: readonly FaultInput[],
  ): AcceptedMessage {
    const { phone, userId, type, opaque } = request;
    const sender = readOpaqueData(opaque, options.opaquePattern());
    const message: AcceptedMessage = {
      sequence: accepted.total + 1,
      wamid: newWamid(phone ?? userId ?? ''),
      atMs: Date.now(),
      phoneNumberId: number.id,
      to: phone,
      userId,
      type,
      messageId: sender?.messageId,
      attempt: sender?.attempt,
      opaque,
      payload,
      status: 'accepted',
    };
    const repeats = accepted.add(message, request);
    const failure = strikes.find((strike) => strike.kind === 'fail');
    const isClosed = settings().window.mode === 'fail' && isWindowClosed(pair, request);
    planner.plan(message, number, categoryOf(number, request), {
      withhold: strikes.some(({ kind }) => kind === 'withhold-receipts'),
      failCode: failure ? failCodeOf(failure) : isClosed ? 131047 : undefined,
      isSentFirst: failure?.afterSent ?? false,
    });
    options.onAccepted(message, repeats);
    return message;
  }

  return {
    send(number, payload) {
      const request = validateSend(payload, number.digits, {
        hasMedia: (id) =>
          (media.get(id)?.phoneNumberId ?? number.id) === number.id && media.get(id) !== undefined,
        validateTemplate: (content, toPhone) =>
          validateTemplate(
            content,
            (name, language) => templates.find(number.businessAccountId, name, language),
            toPhone,
          ),
      });
      if ('code' in request) return refuse(request);
      const address = request.phone ?? request.userId ?? '';
      const pair = `${number.id}/${address}`;
      const strikes = faults.strike({ address, phoneNumberId: number.id, type: request.type });
      if (strikes.length > 0) {
        const sender = readOpaqueData(request.opaque, options.opaquePattern());
        const outcome = strikeBefore(strikes, { to: address, ...sender });
        if (outcome) return outcome;
      }
      const problem = checkLimits(number, pair, request);
      if (problem) return refuse(problem);
      const message = accept(number, pair, request, payload, strikes);
      const { wamid, messageId, attempt } = message;
      const body = renderAnswer(request, wamid);
      if (strikes.length === 0) return { kind: 'answer', body, delayMs: 0 };
      return strikeAfter(strikes, { to: address, wamid, messageId, attempt }, body);
    },
    markRead(number, payload) {
      const { message_id: messageId, typing_indicator: typing } = payload;
      if (payload.messaging_product !== 'whatsapp') return missing('messaging_product');
      if (typeof messageId !== 'string' || messageId === '') return missing('message_id');
      if (typing !== undefined && (typing as Json | null)?.type !== 'text') {
        return refuse(graphError(131009, "typing_indicator['type'] must be text"));
      }
      const subject = { address: messageId, phoneNumberId: number.id, type: 'read' };
      const outcome = strikeBefore(faults.strike(subject), { to: messageId });
      if (outcome) return outcome;
      options.onRead(messageId, typing !== undefined);
      return { kind: 'answer', body: '{"success":true}', delayMs: 0 };
    },
  };
}

function renderAnswer({ phone, userId, input, type }: SendRequest, wamid: string): string {
  const known = phone === undefined ? `"user_id":"${userId}"` : `"wa_id":"${phone}"`;
  const state = type === 'template' ? ',"message_status":"accepted"' : '';
  return `{"messaging_product":"whatsapp","contacts":[{"input":${JSON.stringify(input)},${known}}],"messages":[{"id":"${wamid}"${state}}]}`;
}
