import t from 'tap';
import { send, start } from '../helper.ts';

t.test('a message accepted twice under its id is reported, whatever the attempt', async (t) => {
  const simulator = await start(t);
  await send(simulator, { biz_opaque_callback_data: 'm1:1', text: { body: 'a' } });
  await send(simulator, { biz_opaque_callback_data: 'm2:1', text: { body: 'b' } });
  t.same(simulator.repeats(), []);
  await send(simulator, { biz_opaque_callback_data: 'm1:2', text: { body: 'c' } });
  const wamids = simulator
    .accepted()
    .filter(({ messageId }) => messageId === 'm1')
    .map(({ wamid }) => wamid);
  t.same(simulator.repeats(), [{ kind: 'message-id', key: 'm1', count: 2, wamids }]);
  t.same(simulator.statistics().repeats, { byMessageId: 1, byContent: 0 });
});

t.test('the same content to the same person is reported, to another it is not', async (t) => {
  const simulator = await start(t);
  await send(simulator, { biz_opaque_callback_data: 'm1:1' });
  await send(simulator, { biz_opaque_callback_data: 'm2:1', to: '15551230002' });
  t.same(simulator.repeats(), []);
  await send(simulator, { biz_opaque_callback_data: 'm3:1', to: '+1 555 123 0001' });
  t.match(simulator.repeats(), [{ kind: 'content', key: '15551230001', count: 2 }]);
});

t.test('a refused send is no repeat', async (t) => {
  const simulator = await start(t);
  simulator.addFault({ kind: 'status', status: 500, count: 1 });
  t.equal((await send(simulator, { biz_opaque_callback_data: 'm1:1' })).status, 500);
  t.equal((await send(simulator, { biz_opaque_callback_data: 'm1:2' })).status, 200);
  t.same(simulator.repeats(), []);
});

t.test('repeats are found beyond the messages that are kept whole', async (t) => {
  const simulator = await start(t, { recordCapacity: 5 });
  for (let n = 0; n < 20; n += 1)
    await send(simulator, { biz_opaque_callback_data: `m${n}:1`, text: { body: `${n}` } });
  t.equal(simulator.accepted().length, 5);
  t.equal(simulator.statistics().accepted, 20);
  await send(simulator, { biz_opaque_callback_data: 'm0:2', text: { body: 'new' } });
  t.match(simulator.repeats(), [{ kind: 'message-id', key: 'm0', count: 2 }]);
});

t.test('the pattern that reads opaque data can be changed', async (t) => {
  const simulator = await start(t, { settings: { repeats: { opaquePattern: '^id=(?<messageId>\\w+)' } } });
  await send(simulator, { biz_opaque_callback_data: 'id=x;try=1', text: { body: '1' } });
  await send(simulator, { biz_opaque_callback_data: 'id=x;try=2', text: { body: '2' } });
  t.match(simulator.repeats(), [{ kind: 'message-id', key: 'x' }]);
});

t.test('waiting for a message finds one that came or one to come, and gives up in time', async (t) => {
  const simulator = await start(t);
  const coming = simulator.waitForAccepted(({ to }) => to === '15551230001');
  await send(simulator);
  const { wamid } = await coming;
  t.equal((await simulator.waitForAccepted(() => true)).wamid, wamid);
  await t.rejects(
    simulator.waitForAccepted(({ to }) => to === '1', 20),
    { code: 'SIMULATOR_WAIT_TIMED_OUT' },
  );
});
