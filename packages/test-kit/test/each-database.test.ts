import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import t from 'tap';
import { eachDatabase, isMysqlInstalled, startMysql, type TestDatabase } from '../src/index.ts';

const seen: TestDatabase[] = [];

await eachDatabase(t, 'a test gets a place of its own to write to', async (t, database) => {
  seen.push(database);
  if (database.name === 'sqlite') {
    const db = new DatabaseSync(join(database.dataDir, 'x.sqlite'));
    db.exec('create table x (id integer)');
    db.close();
    return;
  }
  const url = new URL(database.url!);
  const name = `${url.pathname.slice(1)}_some_service`;
  url.pathname = '/';
  const connection = await createConnection(url.href);
  await connection.query(`create database ${name}`);
  await connection.query(`create table ${name}.x (word varchar(20))`);
  await connection.query(`insert into ${name}.x values ('größer 😀')`);
  t.match(await connection.query(`select word from ${name}.x`), [[{ word: 'größer 😀' }]]);
  await connection.end();
});

t.test('nothing is left when the test has ended', async (t) => {
  t.match(seen, [{ name: 'sqlite' }, { name: 'mysql' }]);
  for (const { dataDir } of seen) t.notOk(existsSync(dataDir));
  const url = new URL(seen[1]!.url!);
  const prefix = url.pathname.slice(1);
  url.pathname = '/';
  const connection = await createConnection(url.href);
  t.same((await connection.query(`show databases like '${prefix}%'`))[0], []);
  await connection.end();
});

t.test('a MySQL of its own keeps its data over SIGKILL', { skip: !isMysqlInstalled() }, async (t) => {
  const mysql = await startMysql(t);
  const query = async (sql: string) => {
    const connection = await createConnection(mysql.url);
    try {
      return (await connection.query(sql))[0];
    } finally {
      await connection.end();
    }
  };
  await query('create database a');
  await query('create table a.x (id integer)');
  await query('insert into a.x values (7)');
  await mysql.kill();
  await t.rejects(query('select 1'), { code: 'ECONNREFUSED' });
  await mysql.start();
  t.match(await query('select id from a.x'), [{ id: 7 }]);
  await t.rejects(createConnection(mysql.url.replace(':switchyard@', ':wrong@')), {
    code: 'ER_ACCESS_DENIED_ERROR',
  });
});
