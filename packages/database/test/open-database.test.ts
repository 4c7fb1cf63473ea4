import { once } from 'node:events';
import { createServer } from 'node:net';
import { ConfigError } from '@switchyard/config';
import {
  createMysqlDatabase,
  createSqliteDatabase,
  eachDatabase,
  freePort,
  isMysqlInstalled,
  silentLogger,
  spawnNode,
  startMysql,
  until,
} from '@switchyard/test-kit';
import { type Kysely, sql } from 'kysely';
import t from 'tap';
import { type Migration, openDatabase } from '../src/index.ts';
import { open, thing } from './helper.ts';

const logger = silentLogger();
const holder = new URL('./fixtures/open-and-hold.ts', import.meta.url);
const hasMysql = Boolean(process.env.TEST_MYSQL_URL) || isMysqlInstalled() || Boolean(process.env.CI);
const mysqlOnly = hasMysql
  ? {}
  : { skip: 'set TEST_MYSQL_URL or install mariadb-server to run this on MySQL' };

function refusedFor(variable: string, pattern: RegExp) {
  return (error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    return error.variable === variable && pattern.test(error.message) && !error.message.includes('\n');
  };
}

async function refusal(
  url: string | undefined,
  dataDir: string,
): Promise<{ error: unknown; tookMs: number }> {
  const startedAtMs = performance.now();
  const error = await openDatabase({ service: 'a-service', url, dataDir, migrations: {}, logger }).then(
    async (database) => {
      await database.close();
      return undefined;
    },
    (error: unknown) => error,
  );
  return { error, tookMs: performance.now() - startedAtMs };
}

await eachDatabase(t, 'migrations are applied once, and data outlives the process', async (t, target) => {
  const first = await open(t, target);
  await first.db.insertInto('things').values(thing('a', 'kept')).execute();
  await first.close();
  const second = await open(t, target);
  t.match(await second.db.selectFrom('things').selectAll().execute(), [{ id: 'a', value: 'kept' }]);
  t.equal(second.dialect, target.name);
  t.equal(await second.ping(), true);
  await second.close();
  t.equal(await second.ping(100), second.dialect === 'mysql', 'a closed file answers no ping');
  await second.close();
});

await eachDatabase(
  t,
  'a failed migration fails the start and leaves the database usable',
  async (t, target) => {
    const broken: Migration = {
      async up(db: Kysely<unknown>) {
        await sql`select * from no_such_table`.execute(db);
      },
    };
    const options = { service: 's', url: target.url, dataDir: target.dataDir, logger };
    await t.rejects(openDatabase({ ...options, migrations: { '001': broken } }), /no_such_table/);
    const database = await openDatabase({ ...options, migrations: {} });
    t.equal(await database.ping(), true);
    await database.close();
  },
);

await eachDatabase(
  t,
  'a package may add a migration whose name sorts before applied ones',
  async (t, target) => {
    const ran: string[] = [];
    const named = (name: string): Migration => ({
      async up() {
        ran.push(name);
      },
    });
    const options = { service: 's', url: target.url, dataDir: target.dataDir, logger };
    await (await openDatabase({ ...options, migrations: { '002': named('002') } })).close();
    const both = { '001': named('001'), '002': named('002') };
    await (await openDatabase({ ...options, migrations: both })).close();
    t.same(ran, ['002', '001']);
  },
);

t.test('a second process on a SQLite file is refused at once, by one line that names DATA_DIR', async (t) => {
  const { dataDir } = await createSqliteDatabase(t);
  const first = spawnNode(t, holder, { env: { DATA_DIR: dataDir } });
  await first.waitForLine(/^open$/);
  const second = spawnNode(t, holder, { env: { DATA_DIR: dataDir } });
  t.equal((await second.exited).code, 1);
  t.match(second.output, /^ConfigError: DATA_DIR .*held\.sqlite.*\n$/);
  await first.kill('SIGKILL');
  const third = spawnNode(t, holder, { env: { DATA_DIR: dataDir } });
  t.equal(await third.waitForLine(/^open$|Error/), 'open', 'death by SIGKILL lets go');
});

t.test('processes that start at once on MySQL migrate it once, and all start', mysqlOnly, async (t) => {
  const { url } = await createMysqlDatabase(t);
  const processes = Array.from({ length: 4 }, () => spawnNode(t, holder, { env: { DATABASE_URL: url } }));
  for (const each of processes) t.equal(await each.waitForLine(/^open$|Error/), 'open');
  await Promise.all(processes.map((each) => each.kill('SIGKILL')));
});

t.test('a wrong DATABASE_URL stops the start within 5 s by one line that names it', mysqlOnly, async (t) => {
  const { url, dataDir } = await createMysqlDatabase(t);
  const refuses = async (name: string, wrong: string, pattern: RegExp) => {
    const { error, tookMs } = await refusal(wrong, dataDir);
    t.ok(refusedFor('DATABASE_URL', pattern)(error), `${name}: ${(error as Error | undefined)?.message}`);
    t.ok(tookMs < 10_000, `${name} took ${Math.round(tookMs)} ms`);
  };
  const server = new URL(url as string);
  const change = (edit: (url: URL) => void) => {
    const copy = new URL(server);
    edit(copy);
    return copy.href;
  };
  await refuses('not a URL', 'nonsense', /mysql:\/\//);
  await refuses('another database', 'postgres://a:b@localhost/', /mysql:\/\//);
  await refuses(
    'bad prefix',
    change((u) => (u.pathname = '/a-b')),
    /prefix/,
  );
  await refuses(
    'bad escape',
    change((u) => (u.password = '%zz')),
    /percent/,
  );
  await refuses(
    'bad tls',
    change((u) => (u.search = '?tls=perhaps')),
    /tls/,
  );
  await refuses(
    'wrong password',
    change((u) => (u.password = 'wrong-secret')),
    /wrong user or password/,
  );
  const port = String(await freePort());
  await refuses(
    'nobody listens',
    change((u) => (u.port = port)),
    /ECONNREFUSED/,
  );
  await refuses(
    'no TLS there',
    change((u) => (u.search = '?tls=true')),
    /can't be used/,
  );
  const hung = createServer(() => {}).listen(0, '127.0.0.1');
  await once(hung, 'listening');
  t.teardown(() => hung.close());
  await refuses(
    'hung',
    change((u) => (u.port = String((hung.address() as { port: number }).port))),
    /does not answer|ETIMEDOUT/,
  );
});

t.test('a server that takes seconds to create the database is no wrong setting', mysqlOnly, async (t) => {
  if (!isMysqlInstalled()) return t.pass('a lock on every table of a shared server would stop other tests');
  const server = await startMysql(t);
  const { dataDir } = await createSqliteDatabase(t);
  const target = { name: 'mysql' as const, url: server.url, dataDir };
  const { db } = await open(t, target, { service: 'first-service' });
  await db.connection().execute(async (lock) => {
    await sql`flush tables with read lock`.execute(lock);
    const opening = open(t, target);
    await until(
      async () => {
        const { rows } = await sql`
          select 1 from information_schema.processlist where info like 'create database%' and time_ms > 4000`.execute(
          lock,
        );
        return rows.length > 0;
      },
      { what: 'the creation waits for longer than a hung server is waited for' },
    );
    await sql`unlock tables`.execute(lock);
    await t.resolves(opening);
  });
});

t.test('a user who may not create the database is told to have it created', mysqlOnly, async (t) => {
  const target = await createMysqlDatabase(t);
  const database = await open(t, target);
  const user = `u${Date.now()}`;
  await sql.raw(`create user '${user}'@'%' identified by 'pw'`).execute(database.db);
  t.teardown(() => sql.raw(`drop user '${user}'@'%'`).execute(database.db));
  const url = new URL(target.url as string);
  url.username = user;
  url.password = 'pw';
  const { error } = await refusal(url.href, target.dataDir);
  t.ok(refusedFor('DATABASE_URL', /may not create .*_a_service/)(error), (error as Error).message);
  await sql
    .raw(`grant all on \`${url.pathname.slice(1)}_a_service\`.* to '${user}'@'%'`)
    .execute(database.db);
  t.equal((await refusal(url.href, target.dataDir)).error, undefined, 'a grant on it is enough');
});

t.test('a DATA_DIR that is no folder is refused by name', async (t) => {
  const { error } = await refusal(undefined, '/dev/null/data');
  t.ok(refusedFor('DATA_DIR', /can't be used/)(error));
});

t.test('a MySQL that goes away means "later", and is back when it is', mysqlOnly, async (t) => {
  if (!isMysqlInstalled()) return t.pass('the server is not ours to stop');
  const server = await startMysql(t);
  const { dataDir } = await createSqliteDatabase(t);
  const database = await open(t, { name: 'mysql', url: server.url, dataDir }, { queryTimeoutMs: 1500 });
  const query = () => database.db.selectFrom('things').selectAll().execute();
  await query();
  const inside = database.transaction(async (trx) => {
    await trx.insertInto('things').values(thing('a')).execute();
    await server.kill();
    await trx.insertInto('things').values(thing('b')).execute();
  });
  await t.rejects(inside, { code: 'DATABASE_AWAY', outcome: 'later' }, 'within a transaction');
  await t.rejects(query(), { code: 'DATABASE_AWAY', outcome: 'later' });
  t.equal(await database.ping(), false);
  await server.start();
  await until(() => database.ping(), { what: 'the database is back' });
  t.same(await query(), [], 'the transaction is rolled back');
  await server.freeze();
  t.equal(await database.ping(300), false, 'hung is away');
  await t.rejects(query(), { code: 'DATABASE_AWAY', outcome: 'later' });
  server.thaw();
  await until(() => database.ping(), { what: 'the database goes on' });
  await until(
    () =>
      query().then(
        () => true,
        () => false,
      ),
    { what: 'queries work again' },
  );
});
