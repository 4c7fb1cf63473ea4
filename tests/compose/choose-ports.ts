import { createServer } from 'node:net';

const published: readonly [service: string, variable: string, usual: number][] = [
  ['ingress', 'INGRESS_PORT', 3000],
  ['campaign-sender', 'CAMPAIGN_SENDER_PORT', 3001],
  ['flow-engine', 'FLOW_ENGINE_PORT', 3002],
  ['notifier', 'NOTIFIER_PORT', 3003],
  ['metrics-exporter', 'METRICS_EXPORTER_PORT', 5000],
  ['simulator', 'SIMULATOR_PORT', 4000],
  ['redis', 'REDIS_PUBLISHED_PORT', 6379],
  ['mysql', 'MYSQL_PUBLISHED_PORT', 3306],
];

/**
 * The port that each service is published on: what its variable says, else the usual one, else (where something
 * listens there) a free one.
 */
export async function choosePorts(): Promise<Map<string, { variable: string; port: number }>> {
  const ports = new Map<string, { variable: string; port: number }>();
  for (const [service, variable, usual] of published) {
    const port = Number(process.env[variable]) || (await listen(usual)) || (await listen(0));
    if (port === undefined) throw new Error(`no port is free for ${service}; set ${variable}`);
    ports.set(service, { variable, port });
  }
  return ports;
}

/** @returns the port, free again, or undefined when it is taken. 0 takes any. */
function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
