import t from 'tap';
import { matchesEventType } from '../src/index.ts';

t.test('a pattern is a type, a family or everything', async (t) => {
  t.ok(matchesEventType(['*'], 'message.sent'));
  t.ok(matchesEventType(['message.*'], 'message.sent'));
  t.ok(matchesEventType(['contact.opted_out', 'message.sent'], 'message.sent'));
  t.notOk(matchesEventType(['message.*'], 'message'));
  t.notOk(matchesEventType(['message.*'], 'messages.sent'));
  t.notOk(matchesEventType(['message.sent'], 'message.sent_late'));
  t.notOk(matchesEventType([], 'message.sent'));
});
