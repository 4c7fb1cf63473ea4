import Type, { type TSchema } from 'typebox';
import type { FaultList, FaultTiming } from '../fault-list.ts';
import type { ControlApp } from './mailbox-routes.ts';

/** Lists, adds and takes back faults of one simulated provider. */
export function faultRoutes<F extends FaultTiming & { kind: string }>(
  app: ControlApp,
  path: string,
  schema: TSchema,
  faults: FaultList<F>,
): void {
  const answer = <T>(data: T) => ({ success: true, data });
  app.get(path, async () => answer(faults.list()));
  app.post(path, { schema: { body: schema } }, async (request) => answer(faults.add(request.body as F)));
  app.delete(
    path,
    { schema: { querystring: Type.Object({ id: Type.Optional(Type.String({ pattern: '^\\d{1,15}$' })) }) } },
    async ({ query: { id } }) =>
      answer({ removed: faults.remove(id === undefined ? undefined : Number(id)) }),
  );
}
