import type { SecretBox } from '@switchyard/database';
import type { FileStore } from '@switchyard/files';
import type { ServiceApp } from '@switchyard/service-kit';
import type { PeopleSettingsStore } from '../conversations/people-settings.ts';
import type { Store } from '../database/scope.ts';
import type { GraphApi } from '../graph/graph-api.ts';
import type { ManagementGraph } from '../graph/manage-graph.ts';
import type { MediaFiles } from '../media-out/media-files.ts';
import type { WakeUps } from '../messages/create-wake-ups.ts';
import type { Recorder } from '../messages/recorder.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';
import type { AccountSync } from '../senders/sync-accounts.ts';
import type { AttemptStore } from '../sending/attempt-store.ts';
import type { TemplateDirectory } from '../templates/template-directory.ts';
import { registerAccountRoutes } from './account-routes.ts';
import { registerConsentRoutes } from './consent-routes.ts';
import { registerContactEditRoutes } from './contact-edit-routes.ts';
import { registerContactRoutes } from './contact-routes.ts';
import { registerConversationRoutes } from './conversation-routes.ts';
import { registerHandoverRoutes } from './handover-routes.ts';
import { registerInboundMediaRoutes } from './inbound-media-routes.ts';
import { registerMediaRoutes } from './media-routes.ts';
import { registerMessageRoutes } from './message-routes.ts';
import { registerPeopleSettingsRoutes } from './people-settings-routes.ts';
import { registerReadRoutes } from './read-routes.ts';
import { registerSendRoutes } from './send-routes.ts';
import { registerSenderRoutes } from './sender-routes.ts';
import { registerSuppressionRoutes } from './suppression-routes.ts';
import { registerTemplateRoutes } from './template-routes.ts';

/** What the routes need. */
export interface RouteParts {
  store: Store;
  senders: SenderDirectory;
  recorder: Recorder;
  wakeUps: WakeUps;
  attempts: Pick<AttemptStore, 'settle'>;
  secretBox: SecretBox;
  files: FileStore;
  graph: GraphApi;
  management: ManagementGraph;
  templates: TemplateDirectory;
  mediaFiles: MediaFiles;
  accounts: AccountSync;
  settings: PeopleSettingsStore;
}

/** Adds the routes of campaign-sender. */
export function registerRoutes(app: ServiceApp, parts: RouteParts): void {
  registerSendRoutes(app, parts);
  registerMessageRoutes(app, parts);
  registerReadRoutes(app, parts);
  registerInboundMediaRoutes(app, parts);
  registerMediaRoutes(app, parts);
  registerContactRoutes(app, parts);
  registerContactEditRoutes(app, parts);
  registerConsentRoutes(app, parts);
  registerConversationRoutes(app, parts);
  registerHandoverRoutes(app, parts);
  registerPeopleSettingsRoutes(app, parts);
  registerSenderRoutes(app, parts);
  registerAccountRoutes(app, parts);
  registerTemplateRoutes(app, parts);
  registerSuppressionRoutes(app, parts);
}
