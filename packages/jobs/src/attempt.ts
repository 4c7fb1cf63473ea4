import { type CodedError, isCodedError } from '@switchyard/errors';
import type { Logger } from 'pino';
import { withMeta } from './current-meta.ts';
import { jobTimedOut } from './errors.ts';
import type { ProcessedJob, Processor, ProcessorContext } from './job-types.ts';

/** How long a processor has, after its signal was aborted, to end in its own way. */
const graceMs = 1000;

/**
 * One attempt at one job: the processor's context, its time limit, and a way to end it from outside.
 *
 * Logger and signal are made when first asked for: most processors of a busy queue need neither.
 */
export class Attempt implements ProcessorContext {
  readonly job: ProcessedJob;
  readonly #parentLogger: Logger;
  #logger: Logger | undefined;
  #controller: AbortController | undefined;
  #abortedFor: CodedError | undefined;
  #forceEnd: ((reason: CodedError) => void) | undefined;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(job: ProcessedJob, parentLogger: Logger) {
    this.job = job;
    this.#parentLogger = parentLogger;
  }

  get logger(): Logger {
    this.#logger ??= this.#parentLogger.child(this.bindings());
    return this.#logger;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortedFor) this.#controller.abort(this.#abortedFor);
    }
    return this.#controller.signal;
  }

  /** Whether the attempt was told to end from outside, and why. */
  get abortedFor(): CodedError | undefined {
    return this.#abortedFor;
  }

  /** What every log line of the attempt says. */
  bindings(): Record<string, unknown> {
    const { queue, name, id, attempt, meta } = this.job;
    return meta.correlationId === undefined
      ? { queue, job: name, jobId: id, attempt }
      : { queue, job: name, jobId: id, attempt, correlationId: meta.correlationId };
  }

  /** Logs with these bindings, without the cost of a child logger where none was made. */
  log(level: 'info' | 'warn' | 'error', fields: Record<string, unknown>, message: string): void {
    if (this.#logger) this.#logger[level](fields, message);
    else this.#parentLogger[level]({ ...this.bindings(), ...fields }, message);
  }

  /**
   * Runs the processor. Always settles: a processor that ignores its aborted signal is left behind after a second.
   *
   * @throws what the processor throws, or why the attempt was aborted unless the processor answered that with a code of its own.
   */
  run(processor: Processor<never>, payload: unknown, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.abort(jobTimedOut(`took longer than ${timeoutMs} ms`, { details: { timeoutMs } }));
      }, timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        clearTimeout(this.#graceTimer);
        this.#forceEnd = undefined;
      };
      this.#forceEnd = (reason) => {
        settle();
        reject(reason);
      };
      // In a promise of its own, so that a processor that throws before its first await fails like any other.
      (async () => withMeta(this.job.meta, () => processor(payload as never, this)))().then(
        (value) => {
          settle();
          resolve(value);
        },
        (error) => {
          settle();
          reject(this.#abortedFor && !isCodedError(error) ? this.#abortedFor : error);
        },
      );
    });
  }

  /** Aborts the signal of a running attempt; a second later the attempt ends for this reason, whatever the processor does. */
  abort(reason: CodedError): void {
    if (this.#abortedFor || !this.#forceEnd) return;
    this.#abortedFor = reason;
    this.#controller?.abort(reason);
    this.#graceTimer = setTimeout(() => this.#forceEnd?.(reason), graceMs);
  }
}
