import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { ConfigError, type ConfigFields, describeFields, field, loadConfig } from '../src/index.ts';

const fields = {
  port: field.integer('PORT', { description: 'Port', default: 3000, minimum: 1, maximum: 65535 }),
  mode: field.choice('MODE', ['fast', 'safe'], { description: 'Mode', default: 'safe' }),
  secret: field.string('SECRET', {
    description: 'Secret',
    default: 'development',
    requiredInProduction: true,
    secret: true,
  }),
  url: field.url('URL', { description: 'Where', optional: true, protocols: ['http:', 'https:'] }),
  hosts: field.list('HOSTS', { description: 'Hosts', default: [] }),
  tls: field.boolean('TLS', { description: 'Encrypted', default: false }),
  ratio: field.number('RATIO', { description: 'Share', default: 0.5, minimum: 0, maximum: 1 }),
} satisfies ConfigFields;

function problemOf(env: Record<string, string>): ConfigError {
  try {
    loadConfig(fields, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

t.test('defaults stand where nothing is set, and an empty variable counts as unset', async (t) => {
  const config = loadConfig(fields, { PORT: '', MODE: '' });
  t.strictSame(config, {
    port: 3000,
    mode: 'safe',
    secret: 'development',
    url: undefined,
    hosts: [],
    tls: false,
    ratio: 0.5,
  });
  t.ok(Object.isFrozen(config));
});

t.test('text becomes the value that the field describes', async (t) => {
  const config = loadConfig(fields, {
    PORT: '80',
    MODE: 'fast',
    URL: 'https://example.com/x',
    HOSTS: ' a:1, b:2 ,,',
    TLS: 'true',
    RATIO: '0.25',
  });
  t.match(config, {
    port: 80,
    mode: 'fast',
    url: 'https://example.com/x',
    hosts: ['a:1', 'b:2'],
    tls: true,
    ratio: 0.25,
  });
});

t.test('whatever is wrong is said in one line that names the variable', async (t) => {
  const wrong: [Record<string, string>, string][] = [
    [{ PORT: 'eighty' }, 'PORT'],
    [{ PORT: '0' }, 'PORT'],
    [{ PORT: '70000' }, 'PORT'],
    [{ PORT: '1e3' }, 'PORT'],
    [{ MODE: 'reckless' }, 'MODE'],
    [{ URL: 'not a url' }, 'URL'],
    [{ URL: 'ftp://example.com' }, 'URL'],
    [{ TLS: 'yes' }, 'TLS'],
    [{ RATIO: '2' }, 'RATIO'],
    [{ NODE_ENV: 'production' }, 'SECRET'],
    [{ SECRET_FILE: '/nowhere/at/all' }, 'SECRET_FILE'],
    [{ SECRET: 'a', SECRET_FILE: '/nowhere' }, 'SECRET'],
  ];
  for (const [env, variable] of wrong) {
    const problem = problemOf(env);
    t.equal(problem.variable, variable, JSON.stringify(env));
    t.ok(problem.message.startsWith(`${variable} `), problem.message);
    t.notMatch(problem.message, /\n/);
  }
});

t.test('no text whatever makes reading a setting fail in another way than by a ConfigError', async (t) => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('PORT', 'MODE', 'URL', 'HOSTS', 'TLS', 'RATIO'), fc.string()),
      (env) => {
        try {
          const config = loadConfig(fields, env);
          return Number.isInteger(config.port) && config.port >= 1 && config.port <= 65535;
        } catch (error) {
          return error instanceof ConfigError;
        }
      },
    ),
  );
  t.pass('held');
});

t.test('a secret may come from a file, whose last line break does not belong to it', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'config-')), 'secret');
  writeFileSync(path, 'from a file\n');
  t.equal(loadConfig(fields, { NODE_ENV: 'production', SECRET_FILE: path }).secret, 'from a file');
});

t.test('the documentation knows each variable, its default and whether it is a secret', async (t) => {
  const described = describeFields(fields);
  t.equal(described.length, Object.keys(fields).length);
  t.match(
    described.find((each) => each.variable === 'SECRET'),
    { secret: true, requiredInProduction: true, required: false },
  );
});
