import type { Simulator } from '@switchyard/simulator';
import t from 'tap';
import { checkAccounts } from '../chaos/check-accounts.ts';

type Books = Pick<Simulator, 'accepted' | 'incidents'>;
type Incident = ReturnType<Simulator['incidents']>[number];

/** The simulator's books: calls that it accepted, and what else happened, as `kind:message:attempt:code`. */
function books(accepted: string[], incidents: string[] = []): Books {
  return {
    accepted: () =>
      accepted.map((each) => {
        const [messageId, attempt] = each.split(':');
        return { messageId, attempt: Number(attempt) };
      }) as ReturnType<Simulator['accepted']>,
    incidents: () =>
      incidents.map((each) => {
        const [kind, messageId, attempt, code] = each.split(':');
        return { kind, messageId, attempt: Number(attempt), code: Number(code), accepted: kind !== 'error' };
      }) as Incident[],
  };
}

const check = (held: Books, failed: string[] = []) => checkAccounts(held, ['a'], new Set(failed));
const fine = { lost: [], repeated: [], predicted: [], surprises: [] };

t.test('the checker of chaos runs finds what is lost, and what was sent twice', async (t) => {
  t.match(check(books(['a:1'])), fine);
  t.match(check(books([])), { lost: ['a'] });
  t.match(check(books(['a:1', 'a:2'])), {
    repeated: [{ messageId: 'a', attempts: [1, 2] }],
    surprises: ['a:2 came and was not predicted'],
  });
  t.match(check(books(['a:1', 'a:1'])), { repeated: [{ messageId: 'a' }] });
});

t.test('a repeat is predicted where answer and receipts were both lost, and must come then', async (t) => {
  const both = ['cut-after:a:1', 'withhold-receipts:a:1'];
  t.match(check(books(['a:1', 'a:2'], both)), { predicted: [{ messageId: 'a', attempt: 1 }], surprises: [] });
  t.match(check(books(['a:1'], both)), { surprises: ['a:2 was predicted and did not come'] });
  t.match(check(books(['a:1', 'a:2'], both.slice(1))), { surprises: ['a:2 came and was not predicted'] });
});

t.test('who fails by receipt is sent again where the code asks for it, and only there', async (t) => {
  t.match(check(books(['a:1', 'a:3'], ['fail:a:1:131016'])), { ...fine, mended: 1 });
  t.match(check(books(['a:1'], ['fail:a:1:131016'])), { lost: ['a'] });
  t.match(check(books(['a:1'], ['fail:a:1:131026'])), { lost: ['a'] }, 'nobody has noted that it failed');
  t.match(check(books(['a:1'], ['fail:a:1:131026']), ['a']), fine);
  t.match(check(books(['a:1', 'a:2'], ['fail:a:1:131026'])), { repeated: [{ messageId: 'a' }] });
});

t.test('nothing fails that the provider has not refused for good or three times', async (t) => {
  const noReason = { surprises: ['a failed, and the provider did not say so'] };
  t.match(check(books([]), ['a']), noReason);
  t.match(check(books(['a:1']), ['a']), noReason);
  t.match(check(books([], ['error:a:1:131016', 'error:a:2:131016']), ['a']), noReason);
  t.match(check(books(['a:3'], ['error:a:1:131016', 'error:a:2:131016', 'fail:a:3:131016']), ['a']), fine);
  t.match(
    check(books(['a:4'], ['error:a:1:131016', 'error:a:2:131016', 'error:a:3:131016']), ['a']),
    noReason,
  );
});
