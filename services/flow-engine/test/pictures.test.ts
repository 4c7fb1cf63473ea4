import { createSqliteDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { apiKey, startEngine } from './helper.ts';

t.test('the API draws any version of a flow, for its merchant alone', async (t) => {
  const { runtime } = await startEngine(t, await createSqliteDatabase(t));
  const get = (path: string, key = apiKey) =>
    runtime.app.inject({ url: `/api/v1/flows/${path}`, headers: { authorization: `Bearer ${key}` } });
  const svg = await get('flow_welcome/picture');
  t.equal(svg.statusCode, 200);
  t.match(svg.headers, {
    'content-type': 'image/svg+xml; charset=utf-8',
    'content-security-policy': /sandbox/,
  });
  t.match(svg.body, /^<svg .*<title>Welcome<\/title>/s);
  const mermaid = await get('flow_welcome/picture?format=mermaid&version=1');
  t.match(mermaid.body, /^---\ntitle: "Welcome"\n---\nflowchart TD\n/);
  t.equal((await get('flow_welcome/picture?format=png')).statusCode, 400);
  t.equal((await get('flow_welcome/picture?version=9')).statusCode, 404);
  t.equal((await get('flow_nobody/picture')).statusCode, 404);
  t.equal((await get('flow_welcome/picture', 'sk_nobody')).statusCode, 401);
});
