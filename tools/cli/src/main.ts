import { runCli } from './run-cli.ts';

const print = (line: string) => void process.stdout.write(`${line}\n`);
const complain = (line: string) => void process.stderr.write(`${line}\n`);
process.exitCode = await runCli(process.argv.slice(2), process.env, { print, complain });
