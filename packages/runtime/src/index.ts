export { createId } from './create-id.ts';
export { createRuntime, type Runtime, type RuntimeOptions } from './create-runtime.ts';
export type { ForgetPerson } from './forget-person.ts';
export { runService, type ServiceProcess } from './run-service.ts';
export { type RuntimeConfig, runtimeFields } from './runtime-fields.ts';
export { shopifyFields } from './shopify-fields.ts';
export { DEFAULT_MERCHANT_ID, whatsappFields } from './whatsapp-fields.ts';
