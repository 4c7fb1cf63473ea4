import type { IntakeMetrics, IntakeStage } from './intake-metrics.ts';

/** Times the stages of one webhook: each call ends one stage and begins the next. */
export function createStageClock(metrics: IntakeMetrics, source: string): (stage: IntakeStage) => void {
  let lastMs = performance.now();
  return (stage) => {
    const nowMs = performance.now();
    metrics.stage(source, stage, nowMs - lastMs);
    lastMs = nowMs;
  };
}
