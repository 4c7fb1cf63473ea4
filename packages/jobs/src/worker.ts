import { isCodedError } from '@switchyard/errors';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import { Attempt } from './attempt.ts';
import type { QueueName } from './catalog.ts';
import { createDependencyPause } from './dependency-pause.ts';
import { metaOf, readEnvelope } from './envelope.ts';
import { createErrorLog } from './error-log.ts';
import { failedJobsAway, jobAborted, jobLockLost, jobStalled, jobUnknown } from './errors.ts';
import { failedJobEntry } from './final-failure.ts';
import type { AttemptOutcome, Processor } from './job-types.ts';
import { judge, type Verdict } from './outcome.ts';
import { checkPayload } from './payload-check.ts';
import { settingsOf } from './queue-settings.ts';
import { bullWorkerOptions, QueueWorker } from './queue-worker.ts';
import { createWatchdog } from './watchdog.ts';
import { within } from './within.ts';
import type { JobWorker, WorkerOptions } from './worker-options.ts';

/** A sink that takes longer to record a final failure counts as away: a slot must never be held for ever. */
const recordTimeoutMs = 30_000;

/** What closing may take beyond its time-out: the processors' grace, then the last words to Redis. */
const closeGraceMs = 3000;

/** Makes a worker. It takes no job before `start()`. */
export function createWorker<Q extends QueueName>(options: WorkerOptions<Q>): JobWorker {
  const { queue, connection, prefix, failedJobs, observer } = options;
  const settings = settingsOf(queue, options.overrides);
  const processors = options.processors as Readonly<Record<string, Processor<never> | undefined>>;
  const logger = options.logger.child({ queue });
  const logError = createErrorLog(logger);
  const pauseOn = new Set(options.pauseOn ?? ['DATABASE_AWAY']);
  const attempts = new Set<Attempt>();
  /** Errors thrown to BullMQ by us, so that others can be told from them. */
  const ours = new WeakSet<Error>();
  let activity = 0;
  let pausedByCaller = false;
  let closing: Promise<void> | undefined;

  const worker = new QueueWorker(queue, processJob, bullWorkerOptions(settings, connection, prefix));
  const dependency = createDependencyPause({
    probe: options.probe ?? (async () => true),
    pause: () => worker.pause(true),
    resume: async () => {
      if (!pausedByCaller) await worker.resume();
    },
    logger,
  });
  const watchdog = createWatchdog({
    connection,
    keyPrefix: `${prefix}:${queue}:`,
    watched: {
      activity: () => activity,
      isIdleOnPurpose: () => worker.isPaused() || dependency.isActive() || closing !== undefined,
      isFull: () => attempts.size >= settings.concurrency,
    },
    rateMax: settings.rate?.max,
    stuckAfterMs: options.stuckAfterMs ?? 60_000,
    onStuck: (facts) => logger.fatal(facts, 'jobs wait and this worker makes no progress'),
  });

  worker.on('error', (error) => logError(error, {}, 'worker'));
  worker.on('stalled', (jobId) => {
    logger.warn({ jobId }, 'job was left behind by a worker and put back');
    observer?.onStalled?.({ queue, jobId });
  });
  worker.on('lockRenewalFailed', (jobIds) => {
    const lost = new Set(jobIds);
    for (const attempt of attempts)
      if (lost.has(attempt.job.id)) attempt.abort(jobLockLost('the lock of this job is gone'));
  });
  worker.on('failed', (job, error) => {
    if (job && !ours.has(error) && job.finishedOn !== undefined) void recordLate(job, error);
  });

  async function processJob(job: Job, token?: string): Promise<unknown> {
    const startedAtMs = Date.now();
    const attempt = new Attempt(
      {
        id: job.id as string,
        name: job.name,
        queue,
        attempt: job.attemptsMade + 1,
        maxAttempts: job.opts.attempts || 1,
        enqueuedAtMs: job.timestamp,
        ...(job.opts.priority ? { priority: job.opts.priority } : {}),
        meta: metaOf(job.data),
      },
      options.logger,
    );
    attempts.add(attempt);
    activity++;
    const summarise = (level: 'info' | 'warn' | 'error', outcome: AttemptOutcome, verdict?: object) => {
      const processMs = Date.now() - startedAtMs;
      const waitMs = Math.max(0, startedAtMs - job.timestamp - (job.opts.delay ?? 0));
      attempt.log(level, { outcome, waitMs, processMs, ...verdict }, `job ${outcome}`);
      observer?.onFinished({ queue, name: job.name, outcome, waitMs, processMs });
    };
    try {
      const { processor, payload } = open(job);
      const result = await attempt.run(processor, payload, settings.timeoutMs);
      summarise('info', 'done');
      return result;
    } catch (error) {
      const verdict = await settleFailure(job, attempt, error);
      const { outcome, code, reason } = verdict;
      const final = outcome === 'never' || outcome === 'exhausted';
      summarise(final ? 'error' : 'warn', outcome, {
        code,
        ...(outcome === 'later' ? { delayMs: verdict.delayMs } : {}),
        // A dependency that is away is one story, told once; a failure of the job's own needs its stack.
        ...(outcome === 'later' ? { reason } : { err: error }),
      });
      if (outcome === 'later') return await putOff(job, token, verdict.delayMs, attempt);
      const thrown = final ? new UnrecoverableError(`${code}: ${reason}`) : new Error(`${code}: ${reason}`);
      // Kept in Redis with the job; the log has the whole of it.
      thrown.stack = thrown.message;
      ours.add(thrown);
      throw thrown;
    } finally {
      attempts.delete(attempt);
      activity++;
    }
  }

  function open(job: Job): { processor: Processor<never>; payload: unknown } {
    if (worker.isStalledTooOften(job))
      throw jobStalled(`the job was under way when its worker died, more than ${settings.stalledMost} times`);
    const { payload } = readEnvelope(job.data);
    checkPayload(queue, job.name, payload);
    const processor = Object.hasOwn(processors, job.name) ? processors[job.name] : undefined;
    if (!processor) throw jobUnknown(`this worker has no processor for ${job.name}`);
    return { processor, payload };
  }

  /** Decides, and writes a final failure down before BullMQ learns of it: killed in between, the job runs once more. */
  async function settleFailure(job: Job, attempt: Attempt, error: unknown): Promise<Verdict> {
    const facts = {
      attempt: attempt.job.attempt,
      maxAttempts: attempt.job.maxAttempts,
      putOff: Math.max(0, job.attemptsStarted - job.attemptsMade - job.stalledCounter - 1),
    };
    const verdict = judge(error, facts);
    if (verdict.outcome === 'later' || verdict.outcome === 'retry') {
      if (verdict.outcome === 'later') pauseFor(error);
      return verdict;
    }
    // Another worker has the job by now; what it makes of it counts.
    if (attempt.abortedFor?.code === jobLockLost.code) return judge(attempt.abortedFor, facts);
    try {
      const entry = failedJobEntry(queue, job, {
        code: verdict.code,
        reason: verdict.reason,
        attemptsMade: facts.attempt,
      });
      if (await within(failedJobs.record(entry), recordTimeoutMs)) return verdict;
      throw new Error(`took longer than ${recordTimeoutMs} ms`);
    } catch (cause) {
      logError(cause, { jobId: job.id, code: verdict.code }, 'a final failure could not be recorded');
      pauseFor(cause);
      return judge(failedJobsAway('its final failure could not be recorded', { cause }), facts);
    }
  }

  function pauseFor(error: unknown): void {
    if (options.probe && isCodedError(error) && pauseOn.has(error.code)) dependency.begin(error.code);
  }

  /** Back to the queue without an attempt spent. Never returns. */
  async function putOff(
    job: Job,
    token: string | undefined,
    delayMs: number,
    attempt: Attempt,
  ): Promise<never> {
    try {
      await job.moveToDelayed(Date.now() + delayMs, token);
    } catch (error) {
      // The lock is gone: the job is another worker's, or will be found stalled. Failing it now would spend an attempt.
      attempt.log('warn', { err: error }, 'job could not be put off; it will be found stalled');
    }
    throw new DelayedError();
  }

  /** What BullMQ failed on its own account (a result that is no JSON). Late, but kept. */
  async function recordLate(job: Job, error: Error): Promise<void> {
    const failure = { code: 'JOB_FAILED', reason: error.message, attemptsMade: job.attemptsMade };
    try {
      await failedJobs.record(failedJobEntry(queue, job, failure));
    } catch (cause) {
      logError(
        cause,
        { jobId: job.id },
        'a final failure could not be recorded; it is in the failed set alone',
      );
    }
  }

  async function shutDown(timeoutMs: number): Promise<void> {
    watchdog.close();
    dependency.close();
    const closed = worker.close();
    if (await within(closed, timeoutMs)) return;
    logger.warn({ active: attempts.size }, 'closing: jobs under way are aborted and put back');
    for (const attempt of attempts) attempt.abort(jobAborted('the worker is closing'));
    if (await within(closed, closeGraceMs)) return;
    logger.error(
      { active: attempts.size },
      'closing took too long; other workers will find the jobs stalled',
    );
  }

  return {
    async start() {
      await worker.waitUntilReady();
      worker.run().catch((error) => logError(error, {}, 'worker stopped'));
      watchdog.start();
      logger.info({ concurrency: settings.concurrency, rate: settings.rate }, 'worker started');
    },
    async pause() {
      pausedByCaller = true;
      await worker.pause(true);
    },
    async resume() {
      pausedByCaller = false;
      if (!dependency.isActive()) await worker.resume();
    },
    isProgressing: () => watchdog.isProgressing(),
    close(timeoutMs) {
      closing ??= shutDown(timeoutMs);
      return closing;
    },
  };
}
