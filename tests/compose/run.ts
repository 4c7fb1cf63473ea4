// `npm run test:compose`: brings docker-compose.yml up, scaled, on MySQL; has conversations from outside; kills Redis
// and every service while more go on; stops it; takes it down. Prints a line per check and what they came to.
import { runChecks } from './checks.ts';
import { createReport } from './report.ts';
import { createStack, findDockerProblem } from './stack.ts';

/** A build from nothing takes most of it. */
const limitMs = 10 * 60_000;

const problem = await findDockerProblem();
if (problem) {
  console.error(problem);
  process.exit(1);
}

const report = createReport();
const stop = new AbortController();
const timer = setTimeout(() => stop.abort(new Error(`not done after ${limitMs / 60_000} min`)), limitMs);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));

const project = `switchyard-test-${process.pid}`;
const stack = await createStack(project, stop.signal);
// Taken down whatever happens, also when the limit has ended every other command.
const cleaner = await createStack(project, new AbortController().signal);

const aborted = new Promise<never>((_, reject) =>
  stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true }),
);
await report.check('the checks run to their end', () => Promise.race([runChecks(stack, report), aborted]));
clearTimeout(timer);

if (report.failed > 0) {
  const unwell = (await cleaner.containers()).filter(
    // Who died at the start may be well again by now, and is who stopped the others.
    ({ state, isHealthy, exitCode, restarts }) =>
      restarts > 0 || (!(state === 'running' && isHealthy) && !(state === 'exited' && exitCode === 0)),
  );
  const everyone = ['ingress', 'campaign-sender', 'flow-engine', 'notifier', 'metrics-exporter'];
  const services = unwell.length > 0 ? [...new Set(unwell.map(({ service }) => service))] : everyone;
  console.log(`\nLast lines of ${services.join(', ')}:`);
  console.log(await cleaner.compose('logs', '--no-color', '--tail', '60', ...services));
}
await cleaner
  .compose('down', '--volumes', '--rmi', 'local', '--timeout', '5', '--remove-orphans')
  .catch((error: Error) => {
    console.error(error.message);
  });

console.log(`\n${report.passed} passed, ${report.failed} failed`);
process.exit(report.failed === 0 ? 0 : 1);
