import { createMysqlDatabase, isMysqlInstalled } from '@switchyard/test-kit';
import { sql } from 'kysely';
import t from 'tap';
import { checkMysqlSql } from '../src/index.ts';
import { open } from './helper.ts';

const refused = [
  'insert into `a` (`b`) values (?) returning `b`',
  'delete from a where b = 1 returning c',
  'create sequence s',
  'select next value for s',
  'create or replace table a (b int)',
  'alter table a add column if not exists b int',
  'alter table `a` drop index if exists `b`',
  'create index if not exists i on a (b)',
  'create unique index if not exists i on a (b)',
  'drop index if exists i on a',
  'create table a (b uuid)',
  'create table `a` (`b` inet6 not null)',
  'select * from a for system_time all',
  'create table a (b int) with system versioning',
  'select * from a limit rows examined 10',
  'select * from a fetch first 1 rows only',
  'select * from a for update wait 5',
  'select json_exists(a, 1) from b',
  'select nvl(a, 1) from b',
  "create table a (b longtext character set utf8mb4 not null default '')",
  'create table a (b varchar(36) default uuid())',
  'select cast(a as int) from b',
  'select rank from a',
  'update a set system = 1',
  'delete from `a` where id in (select id from `a` limit 5)',
  'update a set b = 1 where id = (select max(id) from a)',
  'select /*M! 1 */ 2',
  'create table a (b int) engine=aria',
  'create table a (b varchar(9) collate utf8mb4_nopad_bin)',
];

const taken = [
  'select \'returning\', "create sequence" from `rank` -- returning\n',
  "insert into a (b) values ('it''s \\' returning', ?)",
  'select rank() over (order by a) as `rank` from b',
  'select t.rank from t',
  "create table if not exists a (b int, c longtext not null, d varchar(5) default 'x', e int default 0)",
  "create table a (b text default (''))",
  'create table a (b bigint default null, c text default null)',
  'drop table if exists a',
  'create or replace view v as select 1',
  'select cast(a as signed), cast(b as char(10)) from c',
  'select * from a for update skip locked',
  'select * from a limit 10 for update',
  'delete from a where id in (select id from (select id from a limit 5) as x)',
  'delete from a where id in (select id from b)',
  'insert into a (b) values (?) on duplicate key update b = values(b)',
  'create table q (uuid varchar(36))',
  'select uuid()',
  'select round(unix_timestamp(now(3)) * 1000)',
];

t.test('SQL that MySQL 8.4 lacks is refused, with the construct named', async (t) => {
  for (const statement of refused)
    t.throws(
      () => checkMysqlSql(statement),
      { code: 'SQL_NOT_PORTABLE', message: /^MySQL 8\.4 lacks: ./ },
      statement,
    );
});

t.test('SQL that both know passes, whatever its literals and names say', async (t) => {
  for (const statement of taken) t.doesNotThrow(() => checkMysqlSql(statement), statement);
});

t.test(
  'every connection under test is checked without asking',
  isMysqlInstalled() || process.env.TEST_MYSQL_URL || process.env.CI ? {} : { skip: 'no MySQL' },
  async (t) => {
    const { db } = await open(t, await createMysqlDatabase(t));
    await t.rejects(sql`delete from things where id = 'a' returning id`.execute(db), {
      code: 'SQL_NOT_PORTABLE',
    });
  },
);
