import { recordingLogger } from '@switchyard/test-kit';
import t from 'tap';
import { createLazyLogger } from '../src/logging/create-lazy-logger.ts';

t.test('a child is made with its first line, once, and not for what is below its level', async (t) => {
  const { logger, lines } = recordingLogger();
  let made = 0;
  const lazy = createLazyLogger('warn', () => {
    made += 1;
    return logger.child({ requestId: 'r-1' }, { level: 'warn' });
  });
  lazy.info({ a: 1 }, 'nobody reads this');
  lazy.debug('nor this');
  lazy.silent('nor this');
  t.equal(lazy.isLevelEnabled('info'), false);
  t.equal(made, 0);
  lazy.warn({ a: 2 }, 'a %s', 'warning');
  lazy.error(new Error('broken'));
  lazy.fatal('the end');
  lazy.child({ part: 'x' }).error('of a part');
  t.equal(made, 1);
  t.equal(lazy.isLevelEnabled('error'), true);
  t.same(lazy.bindings().requestId, 'r-1');
  t.match(lines, [
    { requestId: 'r-1', a: 2, msg: 'a warning' },
    { requestId: 'r-1', msg: 'broken' },
    { requestId: 'r-1', msg: 'the end' },
    { requestId: 'r-1', part: 'x', msg: 'of a part' },
  ]);
  t.equal(lines.length, 4);
});
