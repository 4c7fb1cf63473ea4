export { buildApp } from './app.ts';
export {
  loadMetricsExporterConfig,
  type MetricsExporterConfig,
  metricsExporterFields,
} from './config.ts';
