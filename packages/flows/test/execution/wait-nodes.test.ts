import t from 'tap';
import type { NodeOf } from '../../src/definitions/definition.ts';
import { nextTimeOfDay, parseMoment } from '../../src/execution/local-time.ts';
import { flow, play, said } from './helper.ts';

const at = (iso: string) => Date.parse(iso);

t.test(
  'wait-until waits for a time of day where the contact is, across a change of the clocks',
  async (t) => {
    const definition = flow({
      a: { kind: 'wait-until', time: '09:00', weekdays: ['mon', 'sun'], next: 'end' },
    });
    const until = (atMs: number, timeZone?: string) =>
      new Date(
        play(definition, timeZone === undefined ? {} : { timeZone }).start(said('x'), { atMs }).state.wait!
          .untilMs!,
      ).toISOString();
    // The clocks of Berlin go forward in the night to Sunday, 2026-03-29.
    t.equal(until(at('2026-03-28T12:00Z'), 'Europe/Berlin'), '2026-03-29T07:00:00.000Z');
    t.equal(until(at('2026-03-29T07:00Z'), 'Europe/Berlin'), '2026-03-30T07:00:00.000Z');
    t.equal(until(at('2026-03-28T12:00Z')), '2026-03-29T09:00:00.000Z');
    t.equal(nextTimeOfDay(at('2026-01-02T12:00Z'), '24:00', 'UTC', ['fri']), at('2026-01-03T00:00Z'));
  },
);

t.test('wait-until waits for a moment that a template gives; what is past waits for nothing', async (t) => {
  const definition = flow({
    a: {
      kind: 'wait-until',
      at: '{{ event.body.at }}',
      timeZone: 'America/New_York',
      onError: 'bad',
      next: 'b',
    },
    b: { kind: 'send', text: 'now', next: 'end' },
    bad: { kind: 'send', text: '{{ error.code }}', next: 'end' },
  });
  const begin = (value: unknown) =>
    play(definition).start(
      { type: 'custom', name: 'x', body: { at: value as string } },
      { atMs: at('2026-07-01T00:00Z') },
    );
  t.equal(begin('2026-07-02 09:30').state.wait?.untilMs, at('2026-07-02T13:30Z'));
  t.equal(begin('2026-07-02T09:30:00+02:00').state.wait?.untilMs, at('2026-07-02T07:30Z'));
  t.strictSame(begin('2026-06-01').texts, ['now']);
  t.strictSame(begin('soon').texts, ['DATE_INVALID']);
  t.strictSame(begin('2036-06-01').texts, ['WAIT_TOO_LONG']);
  t.strictSame(begin('2026-07-02').pass().texts, ['now']);
});

t.test('moments are read with and without an offset, and as milliseconds', async (t) => {
  t.equal(parseMoment('2026-10-25T02:30', 'Europe/Berlin'), at('2026-10-25T01:30Z'));
  t.equal(parseMoment('2026-12-24T18:00Z', 'Europe/Berlin'), at('2026-12-24T18:00Z'));
  t.equal(parseMoment('1767225600', 'UTC'), 1767225600000);
  t.equal(parseMoment('1767225600000', 'UTC'), 1767225600000);
  for (const text of ['', '2026-13-01', 'tomorrow', '2026']) t.equal(parseMoment(text, 'UTC'), undefined);
});

t.test('wait-for-event goes where the event leads that comes first, or times out', async (t) => {
  const definition = flow({
    a: { kind: 'set-variable', name: 'cart', value: '{{ event.body.cart }}', next: 'b' },
    b: {
      kind: 'wait-for-event',
      events: [
        {
          kind: 'shopify',
          names: ['orders/create'],
          where: { variable: 'event.body.cart', operator: 'equals', value: 'c1' },
          next: 'bought',
        },
        { kind: 'message', next: 'wrote' },
      ],
      saveAs: 'what',
      timeoutSeconds: 60,
      onTimeout: 'remind',
    },
    bought: { kind: 'send', text: 'bought', next: 'end' },
    wrote: { kind: 'send', text: 'wrote {{ event.text }}', next: 'end' },
    remind: { kind: 'send', text: 'still there, {{ variables.cart }}?', next: 'end' },
  });
  const begin = () =>
    play(definition).start({ type: 'shopify', name: 'checkouts/create', body: { cart: 'c1' } });
  const order = (cart: string) => ({ type: 'shopify', name: 'orders/create', body: { cart } });
  t.strictSame(begin().happen(order('c1')).texts, ['bought']);
  t.strictSame(begin().happen(order('c1')).state.variables.what, { cart: 'c1' });
  t.strictSame(begin().happen(said('hi')).texts, ['wrote hi']);
  t.strictSame(begin().pass().texts, ['still there, c1?']);
  const other = begin();
  const before = other.state;
  other.happen(order('c2')).happen({ type: 'custom', name: 'orders/create' }).say('not an answer');
  t.strictSame(other.state, before, 'anything else changes nothing');
});

t.test('business hours branch, or wait for the next opening', async (t) => {
  const hours: NodeOf<'business-hours'>['hours'] = {
    mon: [
      { from: '09:00', to: '12:00' },
      { from: '13:00', to: '17:00' },
    ],
    fri: [{ from: '09:00', to: '24:00' }],
  };
  const timeZone = 'Europe/Berlin';
  const branching = flow({
    a: { kind: 'business-hours', hours, timeZone, holidays: ['2026-12-25'], open: 'b', closed: 'end' },
    b: { kind: 'end' },
  });
  const waiting = flow({
    a: { kind: 'business-hours', hours, timeZone, holidays: ['2026-12-25'], open: 'end' },
  });
  const isOpen = (iso: string) =>
    // The contact's own zone says nothing about the business.
    play(branching, { timeZone: 'Asia/Tokyo' })
      .start(said('x'), { atMs: at(iso) })
      .nodes.at(-1) === 'b';
  t.ok(isOpen('2026-12-21T08:00Z'));
  t.notOk(isOpen('2026-12-21T07:59Z'));
  t.notOk(isOpen('2026-12-21T11:00Z'), 'lunch');
  t.ok(isOpen('2026-12-18T22:59Z'), 'until midnight');
  t.notOk(isOpen('2026-12-25T10:00Z'), 'a holiday');
  const opening = (iso: string) =>
    new Date(play(waiting).start(said('x'), { atMs: at(iso) }).state.wait!.untilMs!).toISOString();
  t.equal(opening('2026-12-21T11:30Z'), '2026-12-21T12:00:00.000Z');
  t.equal(opening('2026-12-22T10:00Z'), '2026-12-28T08:00:00.000Z', 'past the holiday');
  t.equal(
    play(waiting)
      .start(said('x'), { atMs: at('2026-12-22T10:00Z') })
      .pass().state.status,
    'finished',
  );
});

t.test('a run that grows too old ends, whatever it waits for', async (t) => {
  const definition = flow(
    { a: { kind: 'ask', text: '?', saveAs: 'x', next: 'end' } },
    { limits: { maxDays: 2 } },
  );
  const day = 24 * 3_600_000;
  t.equal(
    play(definition)
      .start()
      .say('x', 2 * day).state.status,
    'finished',
  );
  t.match(
    play(definition)
      .start()
      .say('x', 2 * day + 1).state,
    {
      status: 'failed',
      failure: { code: 'RUN_EXPIRED' },
    },
  );
});
