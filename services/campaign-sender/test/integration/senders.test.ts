import { randomBytes } from 'node:crypto';
import { createSecretBox, databaseFields } from '@switchyard/database';
import { createSqliteDatabase, eachDatabase, silentLogger, until } from '@switchyard/test-kit';
import t from 'tap';
import { resealTokens } from '../../src/senders/reseal-tokens.ts';
import { tokenContext } from '../../src/senders/sender-directory.ts';
import { type Stage, startStage } from '../helper.ts';

const WABA = '200000000000001';

const numbers = async (stage: Stage) => (await stage.call('GET', '/api/v1/senders')).body.data.items;

void eachDatabase(
  t,
  "an account's token brings its numbers, sends for them, and can be rotated",
  async (t, database) => {
    const stage = await startStage(t, database, {
      env: { WHATSAPP_PHONE_NUMBER_ID: undefined, WHATSAPP_ACCESS_TOKEN: undefined },
    });
    const { accessToken } = stage.simulator.credentials;
    stage.simulator.putNumber({ id: '42', qualityRating: 'YELLOW', messagingLimitTier: 'TIER_2K' });
    t.same(await numbers(stage), []);
    const put = await stage.call('PUT', `/api/v1/accounts/${WABA}`, { accessToken, name: 'Shop' });
    t.match(put, { status: 200, body: { data: { wabaId: WABA, hasAccessToken: true, name: 'Shop' } } });
    t.notMatch(JSON.stringify(put.body), accessToken);
    const read = await until(
      async () => {
        const found: { verifiedName: string | null }[] = await numbers(stage);
        return (
          found.length === 2 && found.every(({ verifiedName }) => verifiedName !== null) && numbers(stage)
        );
      },
      { what: 'its numbers are read' },
    );
    t.match(
      read.find(({ phoneNumberId }: { phoneNumberId: string }) => phoneNumberId === '42'),
      {
        hasAccessToken: false,
        qualityRating: 'YELLOW',
        messagingLimitTier: 'TIER_2K',
        peoplePerDay: 2000,
        throughputLevel: 'STANDARD',
        verifiedName: 'Switchyard Simulator',
        state: 'active',
      },
    );
    const { id } = read.find(({ phoneNumberId }: { phoneNumberId: string }) => phoneNumberId === '42');
    await stage.call('PATCH', `/api/v1/senders/${id}`, { messagesPerSecond: 'provider', isDefault: true });
    t.match((await stage.call('GET', `/api/v1/senders/${id}`)).body.data, {
      messagesPerSecond: 80,
      followsProvider: true,
      isDefault: true,
    });
    await until(async () => (await stage.call('GET', '/api/v1/templates')).body.data.items.length === 4, {
      what: 'its templates are read',
    });
    const template = { name: 'hello_world', language: { code: 'en_US' } };
    const send = async () =>
      await stage.call('POST', '/api/v1/messages', {
        to: '+4915112345678',
        type: 'template',
        content: template,
      });
    await send();
    await stage.simulator.waitForAccepted(({ phoneNumberId }) => phoneNumberId === '42');

    await stage.call('PUT', `/api/v1/accounts/${WABA}`, { accessToken: 'revoked' });
    await send();
    await until(async () => (await stage.call('GET', `/api/v1/senders/${id}`)).body.data.state === 'paused', {
      what: 'the number is paused',
    });
    t.match((await stage.call('GET', `/api/v1/senders/${id}`)).body.data, { pauseCode: '190' });
    await stage.call('PUT', `/api/v1/accounts/${WABA}`, { accessToken });
    t.match((await stage.call('GET', `/api/v1/senders/${id}`)).body.data, { state: 'active' });
    await until(async () => stage.simulator.accepted().length === 2, {
      what: 'what waited has gone',
      timeoutMs: 20_000,
    });
  },
);

void eachDatabase(t, 'numbers follow what webhooks and probes tell of them', async (t, database) => {
  const stage = await startStage(t, database, {
    env: { WHATSAPP_BUSINESS_ACCOUNT_ID: WABA, WHATSAPP_MESSAGES_PER_SECOND: '500' },
    simulator: { numbers: [{ id: '100000000000001', throughputLevel: 'STANDARD' }] },
  });
  const [number] = await until(
    async () => {
      const found = await numbers(stage);
      return found[0]?.throughputLevel === 'STANDARD' && found;
    },
    { what: 'the number is read' },
  );
  const { id, displayPhoneNumber } = number;
  const facts = async () => (await stage.call('GET', `/api/v1/senders/${id}`)).body.data;
  stage.simulator.injectChanges({
    field: 'phone_number_quality_update',
    value: {
      display_phone_number: displayPhoneNumber,
      event: 'FLAGGED',
      max_daily_conversations_per_business: 'TIER_10K',
    },
  });
  await until(async () => (await facts()).messagingLimitTier === 'TIER_10K', { what: 'the tier is noted' });
  t.match(await facts(), { peoplePerDay: 10_000 });
  const told = async () => (await stage.queued('notifications')).map(({ payload }) => payload.title);
  t.same(await told(), ['A number has bad quality']);

  stage.simulator.putNumber({ id: '100000000000001', qualityRating: 'RED', throughputLevel: 'HIGH' });
  t.match((await stage.call('POST', `/api/v1/senders/${id}/probe`, {})).body.data, {
    qualityRating: 'RED',
    throughputLevel: 'HIGH',
    probeProblem: null,
  });

  const update = (value: object) => stage.simulator.injectChanges({ field: 'account_update', value });
  update({
    event: 'ACCOUNT_RESTRICTION',
    restriction_info: [{ restriction_type: 'RESTRICTED_ADD_PHONE_NUMBER_ACTION' }],
  });
  await until(async () => (await told()).includes('An account is restricted'), { what: 'they are told' });
  t.match(await facts(), { state: 'active' }, 'that restriction stops no message');
  update({ event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'DISABLE' } });
  await until(async () => (await facts()).state === 'paused', { what: 'the account is banned' });
  update({ event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'REINSTATE' } });
  await until(async () => (await facts()).state === 'active', { what: 'the account is back' });

  await stage.call('PATCH', `/api/v1/senders/${id}`, { state: 'paused' });
  t.match(await facts(), { state: 'paused', pauseCode: 'person' });
  await stage.call('PATCH', `/api/v1/senders/${id}`, { accessToken: 'another' });
  t.match(await facts(), { state: 'paused' }, 'a new token does not undo what a person has done');
  t.match((await stage.call('POST', `/api/v1/senders/${id}/probe`, {})).body.data, {
    probeProblem: /^190/,
  });
});

void eachDatabase(
  t,
  'after a change of keys every token is sealed with the new one, and the old one may be dropped',
  async (t, database) => {
    const stage = await startStage(t, database, { subscriptions: null });
    const { db } = stage.service.database;
    const fresh = `k2:${randomBytes(32).toString('base64')}`;
    const both = createSecretBox(`${fresh},${databaseFields.encryptionKeys.options.default}`);
    t.equal(await resealTokens(db, both, silentLogger()), 1);
    t.equal(await resealTokens(db, both, silentLogger()), 0);
    const row = await db.selectFrom('senders').select(['id', 'accessToken']).executeTakeFirstOrThrow();
    t.equal(
      createSecretBox(fresh).open(row.accessToken!, tokenContext(row.id)),
      stage.simulator.credentials.accessToken,
    );
  },
);

t.test('a number whose account nobody knows is asked about on schedule', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  const { db } = stage.service.database;
  const asked = async () => {
    const row = await db.selectFrom('senders').selectAll().executeTakeFirstOrThrow();
    return row.probedAtMs !== null && row.probedAtMs > 1 && row;
  };
  t.match(await until(asked, { timeoutMs: 30_000, what: 'it is asked about' }), {
    wabaId: null,
    qualityRating: 'GREEN',
    throughputLevel: 'HIGH',
  });
  stage.simulator.putNumber({ id: '100000000000001', qualityRating: 'RED' });
  await db.updateTable('senders').set({ probedAtMs: 1 }).execute();
  t.match(await until(asked, { timeoutMs: 30_000, what: 'and again when it is due' }), {
    qualityRating: 'RED',
  });
});

t.test('management calls that are used up are told, and nothing is asked before its time', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t), {
    env: { WHATSAPP_BUSINESS_ACCOUNT_ID: WABA, WHATSAPP_MANAGEMENT_CALLS_PER_HOUR: '12' },
  });
  const usedUp = 'the management calls of this hour are used up';
  const account = await until(
    async () => {
      const [found] = (await stage.call('GET', '/api/v1/accounts')).body.data.items;
      return found?.syncProblem && found;
    },
    { timeoutMs: 30_000, what: 'the second call is not made' },
  );
  t.match(account, { syncProblem: usedUp, syncedAtMs: null });
  const [number] = await numbers(stage);
  t.match((await stage.call('POST', `/api/v1/senders/${number.id}/probe`)).body.data, {
    probeProblem: usedUp,
  });
  t.match((await stage.call('POST', '/api/v1/templates/sync', {})).body.data.accounts, [{ problem: usedUp }]);
});
