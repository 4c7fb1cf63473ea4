import { runService } from '@switchyard/runtime';
import { buildApp } from './app.ts';
import { loadFlowEngineConfig } from './config.ts';

runService({ service: 'flow-engine', env: process.env, load: loadFlowEngineConfig, build: buildApp });
