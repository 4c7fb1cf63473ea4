export { buildApp, type CampaignSender } from './app.ts';
export { configFields, loadServiceConfig, type ServiceConfig } from './config.ts';
