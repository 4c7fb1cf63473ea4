import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { PeopleSettingsView } from './conversation-schemas.ts';
import type { RouteParts } from './register-routes.ts';
import { closed } from './schemas.ts';

/** What a merchant decides about people. */
export function registerPeopleSettingsRoutes(app: ServiceApp, { settings }: RouteParts): void {
  const tags = ['contacts'];

  app.get(
    '/api/v1/settings/people',
    {
      onRequest: requireScope('contacts:read'),
      schema: { tags, summary: 'What is set about people', response: { 200: ok(PeopleSettingsView) } },
    },
    async ({ principal }) => succeed(await settings.of(principal.merchantId)),
  );

  app.patch(
    '/api/v1/settings/people',
    {
      onRequest: requireScope('contacts:write'),
      schema: {
        tags,
        summary: 'Set it; other processes follow within seconds',
        body: Type.Partial(PeopleSettingsView, closed),
        response: { 200: ok(PeopleSettingsView) },
      },
    },
    async ({ principal, body }) => succeed(await settings.change(principal.merchantId, body)),
  );
}
