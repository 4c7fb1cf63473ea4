import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { EmailsTable } from '../database/tables.ts';
import type { Emails } from '../email/create-emails.ts';

const State = Type.Union([Type.Literal('pending'), Type.Literal('sent'), Type.Literal('failed')]);
const Nullable = Type.Union([Type.String(), Type.Null()]);
const Params = Type.Object({ id: Type.String({ maxLength: 191 }) });
const EmailAnswer = Type.Object({
  id: Type.String(),
  to: Type.Array(Type.String()),
  subject: Type.String(),
  state: State,
  attempts: Type.Integer(),
  lastError: Nullable,
  createdAtMs: Type.Integer(),
  updatedAtMs: Type.Integer(),
});

/** Routes for the merchant's emails. */
export function registerEmails(app: ServiceApp, { emails }: { emails: Emails }): void {
  const tags = ['emails'];

  app.get(
    '/api/v1/emails',
    {
      preHandler: requireScope('emails:read'),
      schema: {
        tags,
        summary: 'Lists emails, newest first.',
        querystring: Type.Object({
          state: Type.Optional(State),
          cursor: Type.Optional(Type.String({ maxLength: 191 })),
          limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
        }),
        response: { 200: ok(Type.Object({ emails: Type.Array(EmailAnswer), nextCursor: Nullable })) },
      },
    },
    async ({ query: { state, cursor, limit }, principal }) => {
      const rows = await emails.list(principal.merchantId, { state, before: cursor, limit });
      const last = rows.length === limit ? rows.at(-1) : undefined;
      return succeed({ emails: rows.map(present), nextCursor: last?.id ?? null });
    },
  );

  app.get(
    '/api/v1/emails/:id',
    {
      preHandler: requireScope('emails:read'),
      schema: {
        tags,
        summary: 'Shows an email with its text.',
        params: Params,
        response: { 200: ok(Type.Object({ email: EmailAnswer, text: Nullable, html: Nullable })) },
      },
    },
    async ({ params, principal }) => {
      const row = await emails.get(principal.merchantId, params.id);
      return succeed({ email: present(row), text: row.text, html: row.html });
    },
  );

  app.post(
    '/api/v1/emails/:id/retry',
    {
      preHandler: requireScope('emails:write'),
      schema: {
        tags,
        summary: 'Tries a failed email again, under the same Message-ID.',
        params: Params,
        response: { 202: ok(Type.Null()) },
      },
    },
    async ({ params, principal }, reply) => {
      await emails.retry(principal.merchantId, params.id);
      reply.status(202);
      return succeed(null);
    },
  );
}

function present({
  id,
  addressees,
  subject,
  state,
  attempts,
  lastError,
  createdAtMs,
  updatedAtMs,
}: EmailsTable) {
  const to = JSON.parse(addressees) as string[];
  return { id, to, subject, state, attempts, lastError, createdAtMs, updatedAtMs };
}
