export { buildApp } from './app.ts';
export { type IngressConfig, ingressFields, loadIngressConfig } from './config.ts';
