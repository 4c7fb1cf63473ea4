// `npm run test:session [phone]`: shows whether sessions work, through the ingress that runs on this machine.
const url = process.env.SWITCHYARD_URL || 'http://localhost:3000';
const phone = process.argv[2] ?? '+15550001111';

try {
  const health = await call('GET');
  console.log(`GET ${url}/api/health\n${JSON.stringify(health, null, 2)}`);
  const session = await call('POST', { phone });
  console.log(`POST ${url}/api/health {"phone": "${phone}"}\n${JSON.stringify(session, null, 2)}`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function call(method: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}/api/health`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch((error: Error) => {
    throw new Error(
      `${url} does not answer (${(error.cause as Error | undefined)?.message ?? error.message}): is Switchyard running?`,
    );
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}/api/health answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
