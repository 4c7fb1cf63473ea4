import t from 'tap';
import { defineError, isCodedError } from '../src/index.ts';

const senderUnknown = defineError('SENDER_UNKNOWN', 404, 'never');

t.test('an error carries its code, its status, its outcome and its public details', async (t) => {
  const cause = new Error('SELECT failed');
  const error = senderUnknown('no sender has this id', { details: { senderId: 's1' }, cause });
  t.match(error, { code: 'SENDER_UNKNOWN', statusCode: 404, outcome: 'never', details: { senderId: 's1' } });
  t.equal(error.cause, cause);
  t.notMatch(error.message, 'SELECT');
});

t.test('one instance may end otherwise than its code declares', async (t) => {
  const error = senderUnknown('not synchronised yet', { outcome: 'later', delayMs: 500 });
  t.match(error, { outcome: 'later', delayMs: 500 });
});

t.test('coded errors are told from any other thrown value', async (t) => {
  t.ok(isCodedError(senderUnknown('x')));
  for (const other of [new Error('x'), 'x', null, undefined, { code: 'X', outcome: 'never' }])
    t.notOk(isCodedError(other));
});
