import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { pruneRuns } from '../src/runs/prune-runs.ts';
import { startProviders } from './calls/helper.ts';
import { message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

const end = { kind: 'end' };
const never = new AbortController().signal;

eachDatabase(
  t,
  'runs that ended long ago are forgotten with their journals; those that wait, and all figures, stay',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const id = await engine.publish({
      name: 'Ends',
      triggers: [{ kind: 'keyword', words: ['ends'] }],
      start: 'a',
      nodes: { a: { kind: 'send', text: 'bye', next: 'end' }, end },
    });
    for (let each = 1; each <= 5; each += 1) await engine.tell(message(`con_${each}`, 1, 'ends'));
    await engine.tell(message('con_9', 1, 'hello'));
    await settled(engine);
    const { database: store } = engine.runtime;
    const { db } = store;
    const runs = await db.selectFrom('runs').select(['id', 'contactId', 'status']).orderBy('id').execute();
    const recent = runs.find(({ contactId }) => contactId === 'con_5')!.id;
    const longAgoMs = Date.now() - 91 * 86_400_000;
    await db
      .updateTable('runs')
      .set({ createdAtMs: longAgoMs, updatedAtMs: longAgoMs })
      .where('id', '!=', recent)
      .execute();
    const funnel = () => engine.call('GET', `/api/v1/flows/${id}/funnel`);
    const before = (await funnel()).data;
    t.equal(await pruneRuns(store, Date.now() - 90 * 86_400_000, never), 4);
    t.equal(await pruneRuns(store, Date.now() - 90 * 86_400_000, never), 0);
    const left = await db.selectFrom('runs').select(['contactId', 'status']).orderBy('contactId').execute();
    t.match(left, [
      { contactId: 'con_5', status: 'finished' },
      { contactId: 'con_9', status: 'waiting' },
    ]);
    t.equal((await db.selectFrom('runJournal').select('runId').execute()).length, 2);
    t.strictSame((await funnel()).data, before);
  },
);

eachDatabase(
  t,
  'once the day’s budget for AI is used up, the flow’s fallback answers, and no provider is asked',
  async (t, database) => {
    const { env } = await startProviders(t);
    const engine = await startEngine(t, database, { env: { ...env, AI_DAILY_TOKENS: '1000000' } });
    await engine.publish({
      name: 'Chat',
      triggers: [{ kind: 'keyword', words: ['chat'] }],
      start: 'reply',
      nodes: {
        reply: { kind: 'ai-reply', onError: 'sorry', next: 'end' },
        sorry: { kind: 'send', text: 'Sorry: {{ error.code }}', next: 'end' },
        end,
      },
    });
    const answerTo = async (contact: string) => {
      await engine.tell(message(contact, 1, 'chat'));
      return until(async () => (await sentTexts(engine)).get(phoneOf(contact))?.[0], {
        what: 'the answer',
        timeoutMs: 30_000,
      });
    };
    t.notMatch(await answerTo('con_1'), /^Sorry/);
    const { data } = await engine.call('GET', '/api/v1/ai-budget');
    t.match(data, { dailyTokens: 1_000_000, dailyCostMicros: null });
    const { usedTokens } = data as { usedTokens: number };
    t.ok(usedTokens > 0);
    t.equal(
      (await engine.call('PUT', '/api/v1/ai-budget', { dailyTokens: -1, dailyCostMicros: null })).status,
      400,
    );
    const set = await engine.call('PUT', '/api/v1/ai-budget', {
      dailyTokens: usedTokens,
      dailyCostMicros: null,
    });
    t.match(set, { status: 200, data: { dailyTokens: usedTokens, usedTokens } });
    t.equal(await answerTo('con_2'), 'Sorry: AI_BUDGET_SPENT');
    t.match((await engine.call('GET', '/api/v1/ai-budget')).data, { usedTokens }, 'nothing was asked');
    await engine.call('PUT', '/api/v1/ai-budget', { dailyTokens: null, dailyCostMicros: null });
    t.notMatch(await answerTo('con_3'), /^Sorry/, 'a budget of its own may also be none');
  },
);
