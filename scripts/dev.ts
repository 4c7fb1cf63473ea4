// `npm run dev`: everything from source; a service starts again when a file of its own or of a package changes.
import { runUntilSignal } from './start/run-until-signal.ts';

await runUntilSignal('dev');
