import { runService } from '@switchyard/runtime';
import { buildApp } from './app.ts';
import { loadMetricsExporterConfig } from './config.ts';

runService({
  service: 'metrics-exporter',
  env: process.env,
  load: loadMetricsExporterConfig,
  build: buildApp,
});
