import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { SecretStore } from '../secrets/secret-store.ts';

const Name = Type.String({
  pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$',
  description: 'As flows read it: `{{ secrets.name }}`.',
});
const Params = Type.Object({ name: Name });
const SecretView = Type.Object({
  name: Type.String(),
  createdAtMs: Type.Integer(),
  updatedAtMs: Type.Integer(),
});

/** Routes for the secrets of flows' HTTP requests. Values go in and never come out. */
export function registerSecrets(app: ServiceApp, { secrets }: { secrets: SecretStore }): void {
  const tags = ['secrets'];
  const read = requireScope('secrets:read');
  const write = requireScope('secrets:write');

  app.get(
    '/api/v1/flow-secrets',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Lists the names of the secrets; values are never shown.',
        response: { 200: ok(Type.Array(SecretView)) },
      },
    },
    async ({ principal }) => succeed(await secrets.list(principal.merchantId)),
  );

  app.put(
    '/api/v1/flow-secrets/:name',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Sets a secret, which is stored encrypted; requests from now on use the new value.',
        params: Params,
        body: Type.Object(
          {
            value: Type.String({
              minLength: 4,
              maxLength: 4096,
              // One line, so that it fits a header.
              pattern: '^[\\x20-\\x7e]+$',
            }),
          },
          { additionalProperties: false },
        ),
        response: { 200: ok(SecretView) },
      },
    },
    async ({ principal, params, body }) =>
      succeed(await secrets.set(principal.merchantId, params.name, body.value)),
  );

  app.delete(
    '/api/v1/flow-secrets/:name',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Removes a secret; requests that need it fail with SECRET_UNKNOWN from now on.',
        params: Params,
        response: { 200: ok(Type.Null()) },
      },
    },
    async ({ principal, params }) => {
      await secrets.remove(principal.merchantId, params.name);
      return succeed(null);
    },
  );
}
