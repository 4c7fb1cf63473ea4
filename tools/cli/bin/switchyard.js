#!/usr/bin/env node
// npm links a command when it installs, which is before anything is built: so the command is a file of its own.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  process.stderr.write(
    'switchyard is not built yet: run `npm run build` first (`npm start` does it, too).\n',
  );
  process.exitCode = 1;
}
