import type { FastifyInstance } from 'fastify';
import { shuttingDown } from '../errors.ts';

/**
 * Makes `app.close()` finish what is under way and nothing else: new requests on open connections get 503, each
 * answer closes its connection, and a client that is too slow is cut off.
 *
 * @param shutdownTimeoutMs time for the whole stop; requests get a third of it, at most 10 s.
 */
export function installDraining(
  app: FastifyInstance,
  shutdownTimeoutMs: number,
): { isDraining: () => boolean } {
  let draining = false;
  let cutOff: NodeJS.Timeout | undefined;

  app.addHook('preClose', (done) => {
    draining = true;
    cutOff = setTimeout(
      () => {
        app.log.warn('connections cut off: their requests did not end in time');
        app.server.closeAllConnections();
      },
      Math.min(10_000, shutdownTimeoutMs / 3),
    );
    done();
  });
  app.addHook('onClose', (_app, done) => {
    clearTimeout(cutOff);
    done();
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (!draining || request.routeOptions.config.isProbe) return done();
    done(shuttingDown('the service is stopping; try again', { delayMs: 1_000 }));
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) reply.header('connection', 'close');
    done(null, payload);
  });
  return { isDraining: () => draining };
}
