import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { createLateCalls } from '../late-calls.ts';
import { createRandom } from '../random.ts';
import { createRing } from '../ring.ts';
import { mergeSettings, type Settings, type SettingsPatch } from '../settings.ts';
import { createTimerWheel } from '../timer-wheel.ts';
import { type AcceptedLog, createAcceptedLog } from './accepted-log.ts';
import { createCustomerWindows } from './customer-windows.ts';
import { createFaults, type Faults } from './faults.ts';
import { createIncidentLog, type IncidentLog } from './incident-log.ts';
import { createInjector, type Injector } from './injector.ts';
import { createMediaStore, type MediaStore } from './media-store.ts';
import { createNumbers, type NumberInput, type Numbers, throughputOf } from './numbers.ts';
import { createPairLimit } from './pair-limit.ts';
import { createPeople } from './people.ts';
import { createSendGate } from './send-gate.ts';
import { createSendHandler } from './send-handler.ts';
import { createEventBus, type EventBus, type InboundMessage } from './simulator-event.ts';
import { createCounters, type Statistics } from './statistics.ts';
import { createStatusPlanner } from './status-planner.ts';
import { templateStatusChange } from './template-status-change.ts';
import { createTemplates, type Template, type TemplateInput, type Templates } from './templates.ts';
import { createThroughputLimit } from './throughput-limit.ts';
import { createWebhookSender } from './webhook-sender.ts';

/** What the WhatsApp part of the simulator is made from. */
export interface WhatsAppOptions {
  settings: Settings;
  numbers: readonly [NumberInput, ...NumberInput[]];
  businessAccountId: string;
  accessToken: string;
  appSecret: string;
  verifyToken: string;
  seed: number;
  /** Accepted messages, inbound messages and incidents kept whole, each. */
  recordCapacity: number;
  /** Message ids and contents remembered for finding repeats. */
  repeatCapacity: number;
  maxMediaBytes: number;
  logger: Logger;
}

/** The simulated provider, without its HTTP routes. */
export interface WhatsApp extends Injector {
  readonly settings: Settings;
  /** @throws Error when the outcome would not be valid. */
  changeSettings(patch: SettingsPatch): Settings;
  readonly numbers: Numbers;
  readonly templates: Templates;
  /** Adds or changes a template; a new status is told by a webhook. */
  putTemplate(input: TemplateInput): Template;
  readonly media: MediaStore;
  readonly faults: Faults;
  readonly accepted: AcceptedLog;
  readonly incidents: IncidentLog;
  readonly events: EventBus;
  readonly verifyToken: string;
  inbound(): InboundMessage[];
  /** Answers a send, on bare HTTP. */
  send(request: IncomingMessage, response: ServerResponse, phoneNumberId: string): void;
  /** @param options `withNumbers: false` where only totals are wanted: thousands of numbers are long to list. */
  statistics(options?: { withNumbers: boolean }): Statistics;
  /** Whether no status is planned and no webhook waits, flies or is to be retried. */
  isIdle(): boolean;
  /** Calls back at the next moment that may be idle. @returns what takes the call back. */
  onIdle(listener: () => void): () => void;
  /** Runs something later, on the wheel of the statuses. */
  later(delayMs: number, run: () => void): void;
  /** Back to the start: settings, numbers, templates, faults, records, counters, everything waiting. */
  reset(): void;
  close(): Promise<void>;
}

/** Creates {@link WhatsApp}. */
export function createWhatsApp(options: WhatsAppOptions): WhatsApp {
  const { logger, recordCapacity } = options;
  let settings = options.settings;
  let pattern = new RegExp(settings.repeats.opaquePattern);
  const random = createRandom(options.seed);
  const wheel = createTimerWheel();
  /** Of answers that are to come late: what waits for them measures them. */
  const slowAnswers = createLateCalls();
  const events = createEventBus();
  const numbers = createNumbers(options.numbers, options);
  const accounts = () => [...new Set(numbers.all().map((number) => number.businessAccountId))];
  const templates = createTemplates(accounts);
  const media = createMediaStore(options.maxMediaBytes);
  const people = createPeople();
  const faults = createFaults(random);
  const windows = createCustomerWindows();
  const throughput = createThroughputLimit();
  const pairs = createPairLimit();
  const accepted = createAcceptedLog(recordCapacity, options.repeatCapacity);
  const incidents = createIncidentLog(recordCapacity);
  const inbound = createRing<InboundMessage>(recordCapacity);
  const idleListeners = new Set<() => void>();
  let counters = createCounters();

  const noteIdle = () => {
    for (const listener of idleListeners) listener();
  };
  const onIncident: Parameters<typeof createSendGate>[0]['onIncident'] = (fields) => {
    const incident = incidents.add(fields);
    if (events.hasListeners) events.emit({ kind: 'incident', incident });
  };
  const webhooks = createWebhookSender({
    settings: () => settings.webhooks,
    appSecret: options.appSecret,
    wheel,
    random,
    logger,
    onFailure: (failure) => {
      if (events.hasListeners) events.emit({ kind: 'webhook-failed', ...failure });
    },
    onIdle: noteIdle,
  });
  const planner = createStatusPlanner({
    settings: () => settings.statuses,
    wheel,
    random,
    people,
    push: webhooks.push,
    onIncident,
    onStatus(message, status) {
      counters.statuses[status] = (counters.statuses[status] ?? 0) + 1;
      if (!events.hasListeners) return;
      events.emit({ kind: 'status', wamid: message.wamid, to: message.to ?? message.userId ?? '', status });
    },
    onDone: noteIdle,
  });
  const gate = createSendGate({
    settings: () => settings,
    opaquePattern: () => pattern,
    templates,
    media,
    faults,
    windows,
    throughput,
    pairs,
    accepted,
    planner,
    onIncident,
    onAccepted(message, repeats) {
      if (!events.hasListeners) return;
      events.emit({ kind: 'accepted', message });
      for (const repeat of repeats) events.emit({ kind: 'repeat', repeat });
    },
    onRead(messageId, typing) {
      counters.businessReads += 1;
      if (events.hasListeners) events.emit({ kind: 'business-read', messageId, typing });
    },
  });
  const send = createSendHandler({
    numbers,
    gate,
    later: slowAnswers.schedule,
    onRejected({ code, message }, phoneNumberId) {
      counters.rejected += 1;
      counters.rejectedByCode[code] = (counters.rejectedByCode[code] ?? 0) + 1;
      if (events.hasListeners) events.emit({ kind: 'rejected', phoneNumberId, code, message });
    },
  });
  const injector = createInjector({
    numbers,
    people,
    media,
    push: webhooks.push,
    onInbound(fields) {
      counters.inbound += 1;
      const entry: InboundMessage = { sequence: inbound.total + 1, atMs: Date.now(), ...fields };
      inbound.push(entry);
      throughput.count(fields.phoneNumberId);
      for (const address of [fields.from, fields.userId]) {
        if (address !== undefined) windows.open(`${fields.phoneNumberId}/${address}`);
      }
      if (events.hasListeners) events.emit({ kind: 'inbound', inbound: entry });
    },
  });

  function applySettings(next: Settings): Settings {
    settings = next;
    pattern = new RegExp(settings.repeats.opaquePattern);
    webhooks.wake();
    return settings;
  }

  return {
    ...injector,
    get settings() {
      return settings;
    },
    changeSettings: (patch) => applySettings(mergeSettings(settings, patch)),
    numbers,
    templates,
    putTemplate(input) {
      const account = input.businessAccountId ?? options.businessAccountId;
      const { template, isStatusNew } = templates.put(account, input);
      const [number] = numbers.ofAccount(account);
      if (isStatusNew && number)
        injector.injectChanges({ ...templateStatusChange(template), phoneNumberId: number.id });
      return template;
    },
    media,
    faults,
    accepted,
    incidents,
    events,
    verifyToken: options.verifyToken,
    inbound: () => inbound.values(),
    send,
    statistics: ({ withNumbers } = { withNumbers: true }) => ({
      uptimeMs: Date.now() - counters.startedAtMs,
      accepted: accepted.total,
      rejected: counters.rejected,
      rejectedByCode: { ...counters.rejectedByCode },
      inbound: counters.inbound,
      businessReads: counters.businessReads,
      mediaUploads: media.uploads,
      statuses: { ...counters.statuses },
      plannedStatuses: planner.planned,
      repeats: accepted.repeatTotals(),
      incidents: incidents.totals(),
      webhooks: webhooks.figures(),
      numbers: (withNumbers ? numbers.all() : []).map((number) => ({
        phoneNumberId: number.id,
        perSecondLimit: throughputOf(number),
        lastSecond: throughput.current(number.id),
        peakSecond: throughput.peak(number.id),
      })),
    }),
    isIdle: () => planner.planned === 0 && webhooks.figures().pendingUpdates === 0,
    onIdle(listener) {
      idleListeners.add(listener);
      return () => idleListeners.delete(listener);
    },
    later: (delayMs, run) => wheel.schedule(delayMs, run),
    reset() {
      wheel.clear();
      slowAnswers.clear();
      planner.clear();
      webhooks.clear();
      for (const part of [people, windows, throughput, pairs, accepted, incidents, inbound, media])
        part.clear();
      faults.remove();
      numbers.reset();
      templates.reset();
      random.seed(options.seed);
      counters = createCounters();
      applySettings(options.settings);
      events.emit({ kind: 'reset' });
      noteIdle();
    },
    async close() {
      wheel.clear();
      slowAnswers.clear();
      await webhooks.close();
    },
  };
}
