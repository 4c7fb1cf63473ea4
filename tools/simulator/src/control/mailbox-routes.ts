import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import Type from 'typebox';
import { type Mailbox, type MailFault, MailFaultInput } from '../smtp/create-mailbox.ts';
import { faultRoutes } from './fault-routes.ts';

/** The scope that control routes are added to. */
export type ControlApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the simulated SMTP server was sent, and how it goes wrong. */
export function mailboxRoutes(app: ControlApp, mailbox: Mailbox): void {
  app.get(
    '/emails',
    {
      schema: {
        querystring: Type.Object({
          to: Type.Optional(Type.String({ minLength: 1 })),
          after: Type.Optional(Type.String({ pattern: '^\\d{1,15}$' })),
        }),
      },
    },
    async ({ query: { to, after } }) => ({
      success: true,
      data: { total: mailbox.total, emails: mailbox.list({ to, after: Number(after ?? 0) }) },
    }),
  );
  faultRoutes<MailFault>(app, '/emails/faults', MailFaultInput, mailbox.faults);
}
