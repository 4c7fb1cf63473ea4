import { sqlNotPortable } from './errors.ts';

/** What MariaDB takes and MySQL 8.4 does not, over SQL without literals, comments and quoted names (see {@link strip}). */
const mariadbOnly: readonly (readonly [RegExp, string])[] = [
  [/\breturning\b/, 'RETURNING'],
  [/\b(create|alter|drop)\s+(or\s+replace\s+)?(temporary\s+)?sequence\b/, 'sequences'],
  [/\b(next|previous)\s+value\s+for\b|\b(nextval|lastval|setval)\s*\(/, 'sequences'],
  [
    /\bcreate\s+or\s+replace\s+(?!(algorithm|definer|sql\s+security|view|spatial)\b)/,
    'CREATE OR REPLACE, but for views',
  ],
  [
    /\b(add|drop|modify|change|rename)\s+(column\s+|index\s+|key\s+|unique\s+(index\s+|key\s+)?|foreign\s+key\s+|constraint\s+)?if\s+(not\s+)?exists\b/,
    'IF [NOT] EXISTS in ALTER TABLE',
  ],
  [/\bcreate\s+(unique\s+|fulltext\s+|spatial\s+)?index\s+if\s+not\s+exists\b/, 'CREATE INDEX IF NOT EXISTS'],
  [/\bdrop\s+index\s+if\s+exists\b/, 'DROP INDEX IF EXISTS'],
  [/\b(alter|rename)\s+table\s+if\s+exists\b/, 'ALTER TABLE IF EXISTS'],
  [
    /\b(create|alter)\s+table\b[^;]*\s(inet4|inet6|uuid|xmltype|vector)\b(?!\s*\()/,
    'the types INET4, INET6, UUID, XMLTYPE, VECTOR',
  ],
  [
    /\bfor\s+system_time\b|\bwith(out)?\s+system\s+versioning\b|\bperiod\s+for\b|\bdelete\s+history\b|\bfor\s+portion\s+of\b/,
    'temporal tables',
  ],
  [/\brows\s+examined\b/, 'LIMIT ROWS EXAMINED'],
  [/\bfetch\s+(first|next)\b/, 'FETCH FIRST'],
  [/\b(for\s+update|in\s+share\s+mode)\s+wait\b/, 'FOR UPDATE WAIT n'],
  [/\b(table|index)\b[^;]*\b(nowait|wait\s+\d+)\s+(add|drop|modify|rename|change)\b/, 'DDL with WAIT'],
  [
    /\b(json_exists|json_query|json_compact|json_detailed|json_loose|json_normalize|json_equals|json_object_to_array|json_array_intersect|json_object_filter_keys|json_key_value)\s*\(/,
    'JSON functions of MariaDB',
  ],
  [
    /\b(nvl2?|decode_oracle|add_months|to_char|chr|median|percentile_(cont|disc)|natural_sort_key|sformat|trim_oracle|uuid_v[47]|sys_guid|crc32c|column_(get|create|json)|value|encode|old_password|benchmark_ms)\s*\(/,
    'functions of MariaDB',
  ],
  [/\b(json_arrayagg|group_concat)\s*\([^)]*\blimit\b/, 'LIMIT in an aggregate'],
  [/\bjson_arrayagg\s*\([^)]*\border\s+by\b/, 'ORDER BY in JSON_ARRAYAGG'],
  [/\bexecute\s+immediate\b|\bset\s+statement\b|\bbegin\s+not\s+atomic\b/, 'statements of MariaDB'],
  [
    /\bengine\s*=?\s*(aria|rocksdb|columnstore|connect|spider|s3|mroonga)\b|\bpage_checksum\b/,
    'storage engines of MariaDB',
  ],
  [/\b\w+_nopad_\w+|\buca1400\w*/, 'collations of MariaDB'],
  [/\)\s+persistent\b/, 'PERSISTENT columns (write STORED)'],
  [
    /\b(tiny|medium|long)?(text|blob)\b(?:\s+(?!default\b)[a-z_0-9]+)*\s+default\s+(?!\(|null\b)/,
    'a literal DEFAULT of TEXT or BLOB (write it in parentheses)',
  ],
  [
    /\bdefault\s+(?!current_timestamp|now|null|true|false)[a-z_]+\s*\(/,
    'an expression as DEFAULT without parentheses',
  ],
  [
    /\bcast\s*\(.*\bas\s+(int|integer|bigint|smallint|tinyint|varchar|text|boolean)\b[^,]*\)/,
    'CAST to a type that is not SIGNED, UNSIGNED, CHAR, DOUBLE, …',
  ],
  [/\bminus\s+select\b|\bas\s+of\b/, 'Oracle mode'],
  // Reserved in MySQL 8.4 alone, so that MariaDB takes them as names. Followed by "(" they are functions.
  [
    /(?<![.\w@])(cube|cume_dist|dense_rank|empty|first_value|grouping|groups|json_table|lag|last_value|lead|manual|nth_value|ntile|parallel|percent_rank|qualify|rank|row_number|system|tablesample)\b(?!\s*\()/,
    'a word reserved in MySQL 8.4 as a name without quotes',
  ],
];

/**
 * Throws when a statement uses what MariaDB has and MySQL 8.4 lacks: MariaDB stands in for MySQL in development.
 *
 * A list of constructs, not a parser: it finds the slips that one makes, it does not prove that MySQL takes the rest.
 *
 * @throws SQL_NOT_PORTABLE naming the construct and the statement.
 */
export function checkMysqlSql(sql: string): void {
  if (/\/\*M!/i.test(sql)) fail('executable comments of MariaDB', sql);
  const text = strip(sql);
  for (const [pattern, what] of mariadbOnly) if (pattern.test(text)) fail(what, sql);
  checkSelfReference(sql);
}

/** {@link checkMysqlSql} that remembers what passed. */
export function createMysqlCheck(): (sql: string) => void {
  const passed = new Set<string>();
  return (sql) => {
    if (passed.has(sql)) return;
    checkMysqlSql(sql);
    if (sql.length < 4096) passed.add(sql);
  };
}

function fail(what: string, sql: string): never {
  throw sqlNotPortable(`MySQL 8.4 lacks: ${what}`, { details: { sql: sql.slice(0, 500) } });
}

/** Lower case, without comments; literals become `''`, quoted names `q`. */
function strip(sql: string): string {
  return sql
    .replace(
      /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|\/\*[\s\S]*?\*\/|--\s[^\n]*|#[^\n]*/g,
      (part) => (part.startsWith('`') ? 'q' : /^['"]/.test(part) ? "''" : ' '),
    )
    .toLowerCase();
}

/** MySQL can't change a table that a subquery of the statement reads (error 1093), unless a derived table is in between. */
function checkSelfReference(sql: string): void {
  const text = sql
    .replace(/'(?:[^'\\]|\\.|'')*'/g, "''")
    .replace(/[`"]/g, '')
    .toLowerCase();
  const target = /^\s*(?:delete\s+from|update)\s+([\w.]+)/.exec(text)?.[1];
  if (target === undefined) return;
  const name = target.replace(/\./g, '\\.');
  for (const { index } of text.matchAll(
    new RegExp(`\\(\\s*select\\b(?:[^()]|\\([^()]*\\))*?\\bfrom\\s+${name}\\b`, 'g'),
  ))
    if (!/\bfrom\s*$/.test(text.slice(0, index)))
      fail('a subquery on the table that is changed (error 1093)', sql);
}
