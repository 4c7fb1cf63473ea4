import { Histogram, Registry } from 'prom-client';
import t from 'tap';
import { createLightHistogram } from '../src/metrics/create-light-histogram.ts';

t.test('a light histogram is scraped as prom-client’s own', async (t) => {
  const settings = { name: 'seconds', help: 'Some time.' };
  const own = new Registry();
  own.setDefaultLabels({ service: 'tested' });
  const light = createLightHistogram(own, { ...settings, bounds: [0.1, 1] });
  const reference = new Registry();
  reference.setDefaultLabels({ service: 'tested' });
  const labelNames = ['a', 'b'];
  const heavy = new Histogram({ ...settings, labelNames, buckets: [0.1, 1], registers: [reference] });
  const observations = [
    [{ a: 'x', b: '1' }, 0.05],
    [{ a: 'x', b: '1' }, 0.1],
    [{ a: 'x', b: '2' }, 0.5],
    [{ a: 'x', b: '1' }, 7],
  ] as const;
  for (const [labels, seconds] of observations) {
    light.line(labels).observe(seconds);
    heavy.observe(labels, seconds);
  }
  t.equal(await own.metrics(), await reference.metrics());
  t.equal(light.line({ b: '1', a: 'x' }), light.line({ a: 'x', b: '1' }), 'the order of labels says nothing');
  own.resetMetrics();
  t.match(await own.metrics(), /seconds_count\{service="tested",a="x",b="1"\} 0\n/);
});
