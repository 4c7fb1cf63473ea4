import t from 'tap';
import { judgeQueue } from '../src/queues/judge-queue.ts';

const idle = { waiting: 0, isPaused: false, oldestWaitingMs: undefined, workers: 0 };

t.test(
  'a queue is degraded when it is paused, when its oldest job waits too long, or when nobody listens',
  async (t) => {
    t.strictSame(judgeQueue(idle, 1000), [], 'no workers matter while nothing waits');
    t.strictSame(judgeQueue({ ...idle, isPaused: true }, 1000), ['paused']);
    t.strictSame(judgeQueue({ ...idle, waiting: 1, workers: 1, oldestWaitingMs: 1000 }, 1000), []);
    t.strictSame(judgeQueue({ ...idle, waiting: 1, workers: 1, oldestWaitingMs: 1001 }, 1000), [
      'waiting-too-long',
    ]);
    t.strictSame(judgeQueue({ ...idle, waiting: 1 }, 1000), ['no-workers']);
    t.strictSame(
      judgeQueue({ ...idle, waiting: 1, workers: undefined }, 1000),
      [],
      'hidden clients accuse nobody',
    );
  },
);
