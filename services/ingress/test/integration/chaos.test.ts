import t from 'tap';
import { runChaos } from '../chaos/run-chaos.ts';

// The same at full size, with a Redis frozen for 20 s: npm run chaos:ingress.
t.test('Promise: nothing acknowledged is lost or done twice, whatever is killed', async (t) => {
  const report = await runChaos(t, {
    kills: 3,
    replicas: 2,
    senders: 8,
    redisKills: 1,
    redisForgets: 1,
    freezeMs: 2500,
    dedupStops: 1,
    dedupStopMs: 500,
    log: (line) => t.comment(line),
  });
  t.comment(JSON.stringify(report));
  t.same(report.lost, [], 'none is lost');
  t.same(report.doubled, [], 'none has two effects');
  t.equal(report.kills, 3);
  t.ok(report.forgotten > 10, 'there was something to forget');
  t.ok(report.acknowledged > 50, 'there was load');
});
