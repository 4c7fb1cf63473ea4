import fc from 'fast-check';
import t from 'tap';
import { checkJobId, safeJobId, toJobId } from '../src/job-id.ts';

const parts = fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 });

t.test('any parts make an id that BullMQ takes, the same for the same parts', async (t) => {
  fc.assert(
    fc.property(parts, (ids) => {
      if (ids.join('') === '') return;
      const id = toJobId(...ids);
      checkJobId(id);
      if (id !== toJobId(...ids) || id.length > 128) throw new Error(id);
    }),
  );
  t.equal(toJobId('whatsapp', 'wamid.HBg='), 'whatsapp.wamid%2EHBg%3D');
});

t.test('different parts make different ids', async (t) => {
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same =
        JSON.stringify(a.map((part) => part.toWellFormed())) ===
        JSON.stringify(b.map((part) => part.toWellFormed()));
      return same === (toJobId(...a) === toJobId(...b));
    }),
    { numRuns: 1000 },
  );
  t.not(toJobId('a', 'b'), toJobId('a.b'));
});

t.test('what BullMQ would refuse is refused with a code, or made safe', async (t) => {
  for (const id of ['', '1', '-5', '00123', 'a:b', '0:x', 'a:b:c'])
    t.throws(() => checkJobId(id), { code: 'JOB_ID_INVALID' }, JSON.stringify(id));
  t.equal(safeJobId('mer_1'), 'mer_1');
  t.equal(safeJobId('12345'), '~12345');
  t.equal(safeJobId('a:b'), 'a%3Ab');
});
