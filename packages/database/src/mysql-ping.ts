import type { Connection } from 'mysql2';

/** Pings over one connection of its own, opened when needed: a busy pool is not a dead server. */
export interface MysqlPing {
  /** Whether the server answers in time. One ping at a time: callers meanwhile share its answer. */
  ping(timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** Makes the ping of a server. */
export function createMysqlPing(connect: () => Connection): MysqlPing {
  let connection: Connection | undefined;
  let underWay: Promise<boolean> | undefined;

  function drop(): void {
    connection?.destroy();
    connection = undefined;
  }

  function once(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (alive: boolean) => {
        clearTimeout(timer);
        if (!alive) drop();
        resolve(alive);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      if (!connection) {
        connection = connect();
        connection.on('error', drop);
      }
      connection.ping((error) => end(error === null || error === undefined));
    });
  }

  return {
    ping(timeoutMs) {
      underWay ??= once(timeoutMs).finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
    close: drop,
  };
}
