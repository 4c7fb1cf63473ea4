import { createHmac } from 'node:crypto';
import t from 'tap';
import { createFindSigner } from '../../src/signatures/create-find-signer.ts';

const appsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `app-${index}`,
    secrets: [`secret-${index}`],
    verifyTokenHash: undefined,
  }));
const sign = (body: Buffer, secret: string) => createHmac('sha256', secret).update(body).digest();

t.test('the app that signed is found, whatever the hint says', async (t) => {
  const findSigner = createFindSigner();
  const body = Buffer.from('{}');
  const apps = appsOf(5);
  for (const hint of [undefined, 'app-0', 'app-3', 'app-gone'])
    t.equal((await findSigner(body, sign(body, 'secret-3'), apps, hint))?.id, 'app-3', String(hint));
  t.equal(await findSigner(body, sign(body, 'nobody'), apps, 'app-1'), undefined);
  t.equal(await findSigner(body, sign(body, 'nobody'), []), undefined);
  t.equal(
    findSigner(body, sign(body, 'secret-2'), apps, 'app-2'),
    apps[2],
    'a right hint costs one HMAC and no turn',
  );
});

t.test('hashing in vain is bounded, and who comes from a known number never meets the bound', async (t) => {
  const body = Buffer.alloc(1000, 0x20);
  const apps = appsOf(100);
  // Less than one request's worth a second: the first goes into debt.
  const findSigner = createFindSigner({ othersBytesPerSecond: 10 });
  t.equal(await findSigner(body, sign(body, 'nobody'), apps), undefined);
  await t.rejects(
    async () => findSigner(body, sign(body, 'nobody'), apps),
    { code: 'INTAKE_BUSY', statusCode: 503 },
    'too much was hashed',
  );
  t.equal(findSigner(body, sign(body, 'secret-7'), apps, 'app-7'), apps[7]);
  const one = appsOf(1);
  t.equal(await findSigner(body, sign(body, 'nobody'), one), undefined, 'with one app there are no others');
});
