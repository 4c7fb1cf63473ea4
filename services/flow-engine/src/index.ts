export { buildApp } from './app.ts';
export { type FlowEngineConfig, flowEngineFields, loadFlowEngineConfig } from './config.ts';
