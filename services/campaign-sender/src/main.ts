import { runMain } from '@switchyard/service-kit';
import { buildApp } from './app.ts';
import { loadServiceConfig } from './config.ts';

runMain(
  async () => {
    const service = await buildApp(loadServiceConfig(process.env));
    await service.start();
    return service;
  },
  { service: 'campaign-sender' },
);
