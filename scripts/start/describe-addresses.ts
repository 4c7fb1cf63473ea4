import { join } from 'node:path';
import { services } from './service-list.ts';

/** What somebody who has just started Switchyard wants to know: the key, and where to look. */
export function describeAddresses(options: {
  urlOf: (name: string) => string;
  simulated: boolean;
  env: Record<string, string | undefined>;
  dataDir: string;
}): string {
  const { urlOf, simulated, env, dataDir } = options;
  const board = `${urlOf('metrics-exporter')}/admin/queues`;
  const login = env.BULL_BOARD_PASSWORD ? 'login as configured' : 'login admin / admin123';
  const rows: [string, string][] = [
    ['API key', env.SWITCHYARD_API_KEY ?? 'as configured'],
    ...services.map(({ name }): [string, string] => [name, `${urlOf(name)}/docs   ${urlOf(name)}/health`]),
    ['Bull Board', `${board}   ${login}`],
    ...(simulated
      ? ([['Simulator', `${urlOf('simulator')}/   write to Switchyard as on a phone`]] as const)
      : []),
    ['Logs', join(dataDir, 'logs')],
  ].map(([name, value]) => [name!, value!]);
  return rows.map(([name, value]) => `  ${name.padEnd(16)} ${value}`).join('\n');
}
