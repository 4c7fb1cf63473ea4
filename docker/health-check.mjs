// Asks the service in this container whether it is ready. Exit 0: yes. Runs without dependencies.
const port = process.env.PORT;
try {
  const response = await fetch(`http://127.0.0.1:${port}/ready`, { signal: AbortSignal.timeout(2500) });
  process.exit(response.ok ? 0 : 1);
} catch {
  process.exit(1);
}
