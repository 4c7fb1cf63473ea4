export {
  createMysqlDatabase,
  createSqliteDatabase,
  eachDatabase,
  type TestDatabase,
} from './each-database.ts';
export { freePort } from './free-port.ts';
export { type LogLine, recordingLogger, silentLogger } from './loggers.ts';
export type { ServerProcess } from './server-process.ts';
export { signMeta } from './sign-meta.ts';
export { type ProcessExit, type SpawnNodeOptions, spawnNode, type TestProcess } from './spawn-node.ts';
export { isMysqlInstalled, startMysql, type TestMysql } from './start-mysql.ts';
export { startRedis, type TestRedis, type TestRedisOptions } from './start-redis.ts';
export type { Teardown } from './teardown.ts';
export { until } from './until.ts';
