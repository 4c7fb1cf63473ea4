export { type Environment, runCli } from './run-cli.ts';
