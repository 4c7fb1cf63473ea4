import { eachDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { type Engine, jobsIn, message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

const end = { kind: 'end' };

interface Asked {
  messageId: string;
  to: string;
  origin: { runId: string; stepId: string; notifyOutcome?: boolean };
}

async function askedFor(engine: Engine, contact: string): Promise<Asked[]> {
  const jobs = await jobsIn(engine, 'messages');
  return jobs.map(({ payload }) => payload as unknown as Asked).filter(({ to }) => to === phoneOf(contact));
}

async function tellOutcome(
  engine: Engine,
  { messageId, origin }: Asked,
  outcome: 'accepted' | 'failed' | 'skipped',
) {
  const { runId, stepId } = origin;
  await engine.runtime.producer.add({
    queue: 'flows',
    name: 'record-message-outcome',
    payload: {
      merchantId: 'default',
      runId,
      stepId,
      messageId,
      outcome,
      ...(outcome === 'accepted' ? {} : { reason: 'not on WhatsApp' }),
      decidedAtMs: Date.now(),
    },
  });
  await settled(engine);
}

eachDatabase(
  t,
  'a message that fails later takes its node’s error branch while the run waits, once, and replays; one that went on is only noted',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const flowId = await engine.publish({
      name: 'Asks',
      triggers: [{ kind: 'keyword', words: ['ask'] }],
      start: 'q',
      nodes: {
        q: { kind: 'ask', text: 'Your name?', saveAs: 'name', onError: 'team', next: 'tell' },
        tell: { kind: 'send', text: 'Thanks', next: 'wait' },
        wait: { kind: 'wait', seconds: 86_400, next: 'end' },
        team: {
          kind: 'notify-team',
          title: 'Not reached: {{ error.code }}',
          body: '{{ error.message }}',
          next: 'end',
        },
        end,
      },
    });
    for (const contact of ['con_1', 'con_2', 'con_3']) await engine.tell(message(contact, 1, 'ask'));
    await settled(engine);
    const [question] = await askedFor(engine, 'con_1');
    t.equal(question?.origin.notifyOutcome, true, 'it wants to be told');
    await tellOutcome(engine, question!, 'accepted');
    await tellOutcome(engine, question!, 'failed');
    await tellOutcome(engine, question!, 'failed');
    const { data } = await engine.call('GET', `/api/v1/runs/${question!.origin.runId}`);
    t.match(data, {
      run: { status: 'finished' },
      journal: [{}, { input: { kind: 'outcome', node: 'q', outcome: 'failed', reason: 'not on WhatsApp' } }],
      messages: [{ outcome: 'failed', reason: 'not on WhatsApp' }],
    });
    t.equal((data as { journal: unknown[] }).journal.length, 2);
    t.match(await jobsIn(engine, 'notifications'), [
      { payload: { title: 'Not reached: MESSAGE_FAILED', body: 'not on WhatsApp' } },
    ]);
    t.match((await engine.call('POST', `/api/v1/runs/${question!.origin.runId}/replay`)).data, {
      identical: true,
      inputs: 2,
    });

    const [answered] = await askedFor(engine, 'con_2');
    await engine.tell(message('con_2', 2, 'Ada'));
    await settled(engine);
    await tellOutcome(engine, answered!, 'skipped');
    const late = (await engine.call('GET', `/api/v1/runs/${answered!.origin.runId}`)).data;
    t.match(late, { run: { status: 'waiting' }, messages: [{ outcome: 'skipped' }] });
    t.equal((late as { journal: unknown[] }).journal.length, 2);
    t.strictSame((await sentTexts(engine)).get(phoneOf('con_2')), ['Your name?', 'Thanks']);
    const thanks = (await askedFor(engine, 'con_2')).find(
      ({ messageId }) => messageId !== answered!.messageId,
    );
    t.equal(thanks?.origin.notifyOutcome, undefined, 'a node without a branch need not be told');

    const { body } = await engine.runtime.app.inject('/metrics');
    t.match(body, /switchyard_flow_events_total\{outcome="send-failed"[^}]*\} 1/);
    t.match(body, /switchyard_flow_events_total\{outcome="send-failed-late"[^}]*\} 1/);
    t.match(body, new RegExp(`switchyard_flow_node_failures_total\\{flow="${flowId}",node="q"[^}]*\\} 1`));
    t.match(
      body,
      new RegExp(`switchyard_flow_runs_by_flow_total\\{flow="${flowId}",outcome="started"[^}]*\\} 3`),
    );
    t.match(
      body,
      new RegExp(`switchyard_flow_runs_by_flow_total\\{flow="${flowId}",outcome="finished"[^}]*\\} 1`),
    );
  },
);
