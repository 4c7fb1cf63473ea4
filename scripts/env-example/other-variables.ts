import type { FieldDescription } from '../../packages/config/src/index.ts';

function variable(
  name: string,
  value: string | undefined,
  description: string,
  secret = false,
): FieldDescription {
  return {
    variable: name,
    description,
    default: value,
    required: false,
    requiredInProduction: false,
    secret,
  };
}

/** What no service reads: the variables of the npm scripts and of docker-compose.yml. Group → variables. */
export const otherVariables: Readonly<Record<string, readonly FieldDescription[]>> = {
  'npm start, npm run dev and Docker Compose': [
    variable('INGRESS_PORT', '3000', 'Port on this machine of ingress'),
    variable('CAMPAIGN_SENDER_PORT', '3001', 'Port on this machine of campaign-sender'),
    variable('FLOW_ENGINE_PORT', '3002', 'Port on this machine of flow-engine'),
    variable('NOTIFIER_PORT', '3003', 'Port on this machine of notifier'),
    variable('METRICS_EXPORTER_PORT', '5000', 'Port on this machine of metrics-exporter'),
    variable('SIMULATOR_PORT', '4000', 'Port on this machine of the simulator'),
  ],
  'Docker Compose': [
    variable('BIND_ADDRESS', '127.0.0.1', 'Address of this machine that ports are published on'),
    variable('REDIS_PUBLISHED_PORT', '6379', 'Port on this machine of Redis'),
    variable('MYSQL_PUBLISHED_PORT', '3306', 'Port on this machine of MySQL'),
    variable(
      'MYSQL_PASSWORD',
      undefined,
      "Password of the services' MySQL user, set when the volume is made",
      true,
    ),
    variable('MYSQL_ROOT_PASSWORD', undefined, "Password of MySQL's root, set when the volume is made", true),
    variable('REDIS_COMMANDER_USERNAME', 'admin', 'Name of the login to Redis Commander (profile "tools")'),
    variable('REDIS_COMMANDER_PASSWORD', undefined, 'Password of that login; admin123 in development', true),
  ],
  'npm test and npm run test:session': [
    variable(
      'TEST_MYSQL_URL',
      undefined,
      'Server for the tests, as mysql://user:password@host:3306; one is started where it is not set',
      true,
    ),
    variable('CI', undefined, 'Set by build servers: no cached results, and a missing MariaDB fails'),
    variable('SWITCHYARD_URL', 'http://localhost:3000', 'Where npm run test:session asks for sessions'),
  ],
};
