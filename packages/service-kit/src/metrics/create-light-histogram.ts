import type { Metric, Registry } from 'prom-client';

/** One line of a histogram: its labels are fixed, so that observing costs a search among the bounds and two additions. */
export interface LightHistogramLine {
  observe(seconds: number): void;
}

/** A histogram without the cost of labels at every observation. */
export interface LightHistogram {
  /** The line of these labels, made at the first call. To be kept by the caller: looking it up is what costs. */
  line(labels: Readonly<Record<string, string>>): LightHistogramLine;
}

interface Line extends LightHistogramLine {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: Float64Array;
  sum: number;
}

/**
 * Registers a histogram. prom-client's own sorts and joins the labels at every observation, which on the hot path of ingress costs more
 * than the signature.
 *
 * @param settings.bounds upper bounds, rising; `+Inf` is added.
 */
export function createLightHistogram(
  registry: Registry,
  settings: { name: string; help: string; bounds: readonly number[] },
): LightHistogram {
  const { name, help, bounds } = settings;
  const lines = new Map<string, Line>();

  const metric = {
    name,
    aggregator: 'sum',
    async get() {
      const values = [...lines.values()].flatMap(({ labels: own, counts, sum }) => {
        let total = 0;
        const buckets = [...bounds, '+Inf'].map((le, index) => {
          total += counts[index]!;
          return { metricName: `${name}_bucket`, labels: { le }, sharedLabels: own, value: total };
        });
        return [
          ...buckets,
          { metricName: `${name}_sum`, labels: {}, sharedLabels: own, value: sum },
          { metricName: `${name}_count`, labels: {}, sharedLabels: own, value: total },
        ];
      });
      return { name, help, type: 'histogram', values, aggregator: 'sum' };
    },
    reset() {
      for (const line of lines.values()) {
        line.counts.fill(0);
        line.sum = 0;
      }
    },
  };
  registry.registerMetric(metric as unknown as Metric);

  function createLine(labels: Readonly<Record<string, string>>): Line {
    const counts = new Float64Array(bounds.length + 1);
    return {
      labels,
      counts,
      sum: 0,
      observe(seconds) {
        let index = 0;
        while (index < bounds.length && seconds > bounds[index]!) index += 1;
        counts[index]! += 1;
        this.sum += seconds;
      },
    };
  }

  return {
    line(labels) {
      const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
      let line = lines.get(key);
      if (!line) {
        line = createLine(labels);
        lines.set(key, line);
      }
      return line;
    },
  };
}
