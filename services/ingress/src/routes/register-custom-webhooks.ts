import { hash, timingSafeEqual } from 'node:crypto';
import { jobMetaOf, routeUnknown, type ServiceApp, unauthenticated } from '@switchyard/service-kit';
import Type from 'typebox';
import type { AlertIntake } from '../alerts/create-alert-intake.ts';
import type { CustomIntake } from '../custom/create-custom-intake.ts';
import type { BodyBudget } from '../intake/create-body-budget.ts';
import { registerRawPost } from './register-raw-post.ts';

/** What the routes need. */
export interface CustomWebhooksSettings {
  custom: Pick<CustomIntake, 'receive'>;
  alerts: AlertIntake;
  /** `ALERTMANAGER_TOKEN`; without it the route is not there. */
  alertmanagerToken: string | undefined;
  budget: BodyBudget;
}

/** `POST /webhooks/events/:source` and `POST /webhooks/alertmanager`. */
export async function registerCustomWebhooks(
  app: ServiceApp,
  settings: CustomWebhooksSettings,
): Promise<void> {
  const { custom, alerts, alertmanagerToken, budget } = settings;

  registerRawPost(app, {
    url: '/webhooks/events/:source',
    schema: { params: Type.Object({ source: Type.String({ minLength: 1, maxLength: 191 }) }) },
    budget,
    handle: (body, request) => {
      const { source } = request.params as { source: string };
      return custom.receive(source, { body, headers: request.headers }, jobMetaOf(request));
    },
  });

  registerRawPost(app, {
    url: '/webhooks/alertmanager',
    budget,
    async handle(body, request) {
      if (alertmanagerToken === undefined) throw routeUnknown('there is no such route');
      const offered = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
      if (!areEqual(offered, alertmanagerToken))
        throw unauthenticated('the bearer token is not ALERTMANAGER_TOKEN');
      await alerts.take(body, jobMetaOf(request));
    },
  });
}

/** Compares hashes, so that neither contents nor lengths show in the time it takes. */
function areEqual(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
