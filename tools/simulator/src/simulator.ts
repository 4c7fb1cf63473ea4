import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { createSimulatedAi, type SimulatedAi } from './ai/create-ai.ts';
import { buildApp } from './app.ts';
import { settingsInvalid, waitTimedOut } from './errors.ts';
import { createRandom } from './random.ts';
import { defaultSettings, mergeSettings, type Settings, type SettingsPatch } from './settings.ts';
import { createShopify, type SimulatedShopify } from './shopify/create-shopify.ts';
import { createMailbox, type Mailbox } from './smtp/create-mailbox.ts';
import type { AcceptedMessage, Repeat } from './whatsapp/accepted-log.ts';
import { createWhatsApp, type WhatsApp } from './whatsapp/create-whatsapp.ts';
import type { Fault, FaultInput } from './whatsapp/faults.ts';
import type { InboundInput } from './whatsapp/inbound-message.ts';
import type { Incident } from './whatsapp/incident-log.ts';
import type { ChangeInput } from './whatsapp/injector.ts';
import type { NumberInput } from './whatsapp/numbers.ts';
import type { SimulatorEvent } from './whatsapp/simulator-event.ts';
import type { Statistics } from './whatsapp/statistics.ts';
import type { Template, TemplateInput } from './whatsapp/templates.ts';
import { type HandshakeResult, verifyWebhook } from './whatsapp/verify-webhook.ts';

/** How a simulator is started; everything has a default. */
export interface SimulatorOptions {
  host?: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** Short for `settings.webhooks.url`. */
  webhookUrl?: string;
  settings?: SettingsPatch;
  /** Business numbers; one, named by `phoneNumberId`, when absent. */
  numbers?: readonly [NumberInput, ...NumberInput[]];
  phoneNumberId?: string;
  businessAccountId?: string;
  accessToken?: string;
  appSecret?: string;
  verifyToken?: string;
  /** Every draw of chance follows from it. */
  seed?: number;
  /** Accepted messages, inbound messages and incidents kept whole, each (10,000). */
  recordCapacity?: number;
  /** Message ids and contents remembered for finding repeats, each (1,000,000). */
  repeatCapacity?: number;
  /** Media kept, in bytes (256 MB). */
  maxMediaBytes?: number;
  /** The Bearer token that the AI accepts. */
  aiApiKey?: string;
  /** Of the simulated shop. */
  shopDomain?: string;
  /** Signs the shop's webhooks, and refreshes its tokens. */
  shopApiSecret?: string;
  /** A token of the Admin API that does not expire. */
  shopAccessToken?: string;
  /** Where the shop's webhooks go. */
  shopWebhookUrl?: string;
  /** Port of the mailbox; 0, the default, takes a free one. */
  smtpPort?: number;
  /** Silent when absent. */
  logger?: Logger;
}

/** A running simulator. */
export interface Simulator {
  /** `http://host:port`, without a slash at its end: what `WHATSAPP_API_URL` is set to. */
  readonly url: string;
  readonly settings: Settings;
  /** An SMTP server that keeps what it is sent. */
  readonly mailbox: Mailbox;
  /** A model that speaks OpenAI's protocol at `<url>/ai/v1`. */
  readonly ai: SimulatedAi;
  /** A shop: Admin API at `<url>/shopify`, with signed webhooks. */
  readonly shopify: SimulatedShopify;
  /** What a client needs to know. */
  readonly credentials: {
    phoneNumberId: string;
    businessAccountId: string;
    accessToken: string;
    appSecret: string;
    verifyToken: string;
  };
  /** @throws CodedError SIMULATOR_SETTINGS_INVALID; nothing changed then. */
  changeSettings(patch: SettingsPatch): Settings;
  /** Sends messages from people. @returns their ids. @see Injector */
  inject(inputs: InboundInput | readonly InboundInput[]): string[];
  /** Sends webhook changes as they are. */
  injectChanges(inputs: ChangeInput | readonly ChangeInput[]): void;
  addFault(fault: FaultInput): Fault;
  faults(): Fault[];
  /** Takes back one fault, or all. */
  removeFaults(id?: number): number;
  /** Adds or changes a template; a new status is told by a webhook. @see TemplateInput */
  putTemplate(template: TemplateInput): Template;
  /** Forgets media, so that their ids no longer work. */
  removeMedia(id: string): boolean;
  /** Adds or changes a business number. */
  putNumber(number: NumberInput): void;
  accepted(filter?: { to?: string; after?: number }): AcceptedMessage[];
  repeats(): Repeat[];
  /** Faults that struck and receipts that were lost, withheld or duplicated. */
  incidents(after?: number): Incident[];
  statistics(): Statistics;
  /** Calls back for each accepted message. @returns what ends that. */
  onAccepted(listener: (message: AcceptedMessage) => void): () => void;
  /** Calls back for everything that happens. @returns what ends that. */
  onEvent(listener: (event: SimulatorEvent) => void): () => void;
  /**
   * Resolves with the first kept or coming message that satisfies the predicate.
   * @throws CodedError SIMULATOR_WAIT_TIMED_OUT
   */
  waitForAccepted(
    predicate: (message: AcceptedMessage) => boolean,
    timeoutMs?: number,
  ): Promise<AcceptedMessage>;
  /**
   * Resolves when no status is planned and no webhook waits, flies or is to be retried.
   * @throws CodedError SIMULATOR_WAIT_TIMED_OUT
   */
  waitForIdle(timeoutMs?: number): Promise<void>;
  /** Does the GET handshake with the webhook. Never throws. */
  verifyWebhook(): Promise<HandshakeResult>;
  /** Back to how it started. */
  reset(): void;
  close(): Promise<void>;
}

/**
 * Starts a WhatsApp Cloud API on this machine.
 *
 * @throws CodedError SIMULATOR_SETTINGS_INVALID, or what listening throws.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const credentials = {
    phoneNumberId: options.numbers?.[0].id ?? options.phoneNumberId ?? '100000000000001',
    businessAccountId: options.businessAccountId ?? '200000000000001',
    accessToken: options.accessToken ?? 'simulator-access-token',
    appSecret: options.appSecret ?? 'simulator-app-secret',
    verifyToken: options.verifyToken ?? 'simulator-verify-token',
  };
  const logger = options.logger ?? pino({ level: 'silent' });
  const webhooks = options.webhookUrl === undefined ? {} : { webhooks: { url: options.webhookUrl } };
  const whatsapp = createWhatsApp({
    ...credentials,
    settings: merge(merge(defaultSettings, webhooks), options.settings ?? {}),
    numbers: options.numbers ?? [{ id: credentials.phoneNumberId }],
    seed: options.seed ?? 1,
    recordCapacity: options.recordCapacity ?? 10_000,
    repeatCapacity: options.repeatCapacity ?? 1_000_000,
    maxMediaBytes: options.maxMediaBytes ?? 256 * 1024 * 1024,
    logger,
  });
  const host = options.host ?? '127.0.0.1';
  const random = createRandom((options.seed ?? 1) + 1);
  const mailbox = await createMailbox({ host, port: options.smtpPort ?? 0, random });
  const ai = createSimulatedAi({ apiKey: options.aiApiKey ?? 'simulator-ai-key', random });
  const shopify = createShopify({
    shopDomain: options.shopDomain ?? 'simulated-shop.myshopify.com',
    apiSecret: options.shopApiSecret ?? 'simulator-shop-secret',
    accessToken: options.shopAccessToken ?? 'simulator-shop-token',
    webhookUrl: options.shopWebhookUrl ?? 'http://127.0.0.1:3000/webhooks/shopify',
    random,
  });
  const app = await buildApp({ whatsapp, mailbox, ai, shopify, logger });
  await app.listen({ host, port: options.port ?? 0, listenTextResolver: () => 'listening' });
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`,
    credentials,
    mailbox,
    ai,
    shopify,
    ...methodsOf(whatsapp),
    reset() {
      whatsapp.reset();
      mailbox.clear();
      ai.reset();
      shopify.reset();
    },
    get settings() {
      return whatsapp.settings;
    },
    async close() {
      shopify.close();
      await mailbox.close();
      await whatsapp.close();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

function merge(settings: Settings, patch: SettingsPatch): Settings {
  try {
    return mergeSettings(settings, patch);
  } catch (error) {
    throw settingsInvalid((error as Error).message);
  }
}

function methodsOf(
  whatsapp: WhatsApp,
): Omit<Simulator, 'url' | 'credentials' | 'settings' | 'close' | 'mailbox' | 'ai' | 'shopify' | 'reset'> {
  const { accepted, events, faults } = whatsapp;
  return {
    changeSettings: (patch) => whatsapp.changeSettings(patch),
    inject: whatsapp.inject,
    injectChanges: whatsapp.injectChanges,
    addFault: faults.add,
    faults: faults.list,
    removeFaults: (id) => faults.remove(id),
    putTemplate: (template) => whatsapp.putTemplate(template),
    removeMedia: (id) => whatsapp.media.remove(id),
    putNumber: (number) => void whatsapp.numbers.put(number),
    accepted: (filter) => accepted.list(filter),
    repeats: accepted.repeats,
    incidents: (after) => whatsapp.incidents.list(after),
    statistics: whatsapp.statistics,
    onAccepted: (listener) =>
      events.listen((event) => {
        if (event.kind === 'accepted') listener(event.message);
      }),
    onEvent: (listener) => events.listen(listener),
    async waitForAccepted(predicate, timeoutMs = 10_000) {
      const known = accepted.list().find(predicate);
      if (known) return known;
      return waitFor(timeoutMs, 'no such message was accepted', (resolve) =>
        events.listen((event) => {
          if (event.kind === 'accepted' && predicate(event.message)) resolve(event.message);
        }),
      );
    },
    async waitForIdle(timeoutMs = 10_000) {
      if (whatsapp.isIdle()) return;
      await waitFor<void>(timeoutMs, 'webhooks are still pending', (resolve) =>
        whatsapp.onIdle(() => {
          if (whatsapp.isIdle()) resolve();
        }),
      );
    },
    verifyWebhook: () => verifyWebhook(whatsapp.settings.webhooks, whatsapp.verifyToken),
  };
}

/** A promise for something that a listener hears, or a time-out; the listener is gone either way. */
function waitFor<T>(
  timeoutMs: number,
  problem: string,
  listen: (resolve: (value: T) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = listen((value) => {
      clearTimeout(timer);
      stop();
      resolve(value);
    });
    const timer = setTimeout(() => {
      stop();
      reject(waitTimedOut(`${problem} after ${timeoutMs} ms`));
    }, timeoutMs);
  });
}
