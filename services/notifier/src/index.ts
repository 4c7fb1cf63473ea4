export { buildApp } from './app.ts';
export { loadNotifierConfig, type NotifierConfig, notifierFields } from './config.ts';
