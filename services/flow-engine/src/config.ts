import { type ConfigFields, type ConfigOf, field, loadConfig } from '@switchyard/config';
import { filesFields } from '@switchyard/files';
import { runtimeFields } from '@switchyard/runtime';
import { checkProviders, providerFields } from './credentials/provider-fields.ts';

/** Every setting of flow-engine. */
export const flowEngineFields = {
  ...runtimeFields(3002),
  ...filesFields,
  flowGapWaitMs: field.integer('FLOW_GAP_WAIT_MS', {
    description:
      'Time an event waits for one of the same contact that was accepted before it and has not come, in milliseconds; after it the conversation goes on without the missing one',
    default: 30_000,
    minimum: 0,
    maximum: 600_000,
  }),
  flowLeaseMs: field.integer('FLOW_LEASE_MS', {
    description:
      'Time after which a conversation is taken over from a process that died in the middle of it, in milliseconds',
    default: 15_000,
    minimum: 500,
    maximum: 300_000,
  }),
  flowSendOrderWaitMs: field.integer('FLOW_SEND_ORDER_WAIT_MS', {
    description:
      'Time a message waits until the one before it is known to have gone out, in milliseconds, where a flow sends several in one go',
    default: 300_000,
    minimum: 1000,
    maximum: 86_400_000,
  }),
  flowRunRetentionDays: field.integer('FLOW_RUN_RETENTION_DAYS', {
    description: 'Days that runs which have ended are kept, with their journals; figures are kept for longer',
    default: 90,
    minimum: 1,
    maximum: 3650,
  }),
  ...providerFields,
} satisfies ConfigFields;

export type FlowEngineConfig = ConfigOf<typeof flowEngineFields>;

/** @throws ConfigError one line that names the variable. */
export function loadFlowEngineConfig(env: Readonly<Record<string, string | undefined>>): FlowEngineConfig {
  const config = loadConfig(flowEngineFields, env);
  checkProviders(config);
  return config;
}
