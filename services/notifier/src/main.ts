import { runService } from '@switchyard/runtime';
import { buildApp } from './app.ts';
import { loadNotifierConfig } from './config.ts';

runService({ service: 'notifier', env: process.env, load: loadNotifierConfig, build: buildApp });
