// `npm start`: everything on this machine, as it would run in earnest, with a first conversation.
import { runUntilSignal } from './start/run-until-signal.ts';

await runUntilSignal('start');
