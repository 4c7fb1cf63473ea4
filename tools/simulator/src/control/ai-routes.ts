import { type AiFault, AiFaultInput, ScriptedReply, type SimulatedAi } from '../ai/create-ai.ts';
import { faultRoutes } from './fault-routes.ts';
import type { ControlApp } from './mailbox-routes.ts';

/** What the simulated model was asked, what it is to say, and how it goes wrong. */
export function aiControlRoutes(app: ControlApp, ai: SimulatedAi): void {
  const answer = <T>(data: T) => ({ success: true, data });
  app.get('/ai/requests', async () => answer(ai.requests()));
  app.get('/ai/replies', async () => answer(ai.replies));
  app.post('/ai/replies', { schema: { body: ScriptedReply } }, async (request) => {
    ai.replies.push(request.body);
    return answer(ai.replies);
  });
  app.delete('/ai/replies', async () => answer({ removed: ai.replies.splice(0).length }));
  faultRoutes<AiFault>(app, '/ai/faults', AiFaultInput, ai.faults);
}
