import type { IntakeMetrics, IntakeStage } from './intake-metrics.ts';

/** Times the stages of one webhook: each call ends one stage and begins the next. */
export function createStageClock(metrics: IntakeMetrics): (stage: IntakeStage) => void {
  let lastMs = performance.now();
  return (stage) => {
    const nowMs = performance.now();
    metrics.stage(stage, nowMs - lastMs);
    lastMs = nowMs;
  };
}
