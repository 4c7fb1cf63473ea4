import { createServer } from 'node:net';

/**
 * A TCP port of 127.0.0.1 that nothing listens on.
 *
 * Drawn below the range from which the kernel gives ports to outgoing connections, so that a server stopped
 * by a test can come back on its port a moment later.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port found between 10000 and 32000');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
