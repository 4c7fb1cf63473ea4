// Asks the service in this container whether it is ready. Exit 0: yes. Runs without dependencies.
const { PORT, HEALTH_PATH = '/ready' } = process.env;
try {
  const response = await fetch(`http://127.0.0.1:${PORT}${HEALTH_PATH}`, {
    signal: AbortSignal.timeout(2500),
  });
  process.exit(response.ok ? 0 : 1);
} catch {
  process.exit(1);
}
