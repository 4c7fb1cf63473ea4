import { runService } from '@switchyard/runtime';
import { buildApp } from './app.ts';
import { loadIngressConfig } from './config.ts';

runService({ service: 'ingress', env: process.env, load: loadIngressConfig, build: buildApp });
