import t from 'tap';
import { start } from './helper.ts';

t.test(
  'the page and everything it names come from the simulator, under a policy that allows nothing else',
  async (t) => {
    const simulator = await start(t);
    const page = await fetch(`${simulator.url}/`);
    const html = await page.text();
    t.equal(page.status, 200);
    t.match(page.headers.get('content-security-policy'), "default-src 'none'");
    t.match(page.headers.get('content-type'), 'text/html');
    const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
    t.ok(named.length >= 3);
    for (const path of [...new Set(named), 'render.js']) {
      t.notMatch(path, /^(?:https?:)?\/\//, 'no other host');
      t.equal((await fetch(`${simulator.url}/${path}`)).status, 200, path);
    }
    t.notMatch(html, /<script(?![^>]* src=)|<style|style="| on\w+="/, 'nothing inline');
  },
);

t.test('pictures are shown to the page, other media is not', async (t) => {
  const simulator = await start(t);
  simulator.inject([
    { from: '15551230001', type: 'image' },
    { from: '15551230001', type: 'document', mediaBase64: 'PGh0bWw+', mimeType: 'text/html' },
  ]);
  const { data } = (await (await fetch(`${simulator.url}/_simulator/inbound`)).json()) as {
    data: { messages: { message: Record<string, { id: string }> }[] };
  };
  const picture = await fetch(`${simulator.url}/_simulator/media/${data.messages[0]?.message.image?.id}`);
  t.equal(picture.headers.get('content-type'), 'image/png');
  t.equal(
    (await fetch(`${simulator.url}/_simulator/media/${data.messages[1]?.message.document?.id}`)).status,
    404,
  );
});

t.test('health is told without a token', async (t) => {
  const simulator = await start(t);
  t.match(await (await fetch(`${simulator.url}/health`)).json(), { status: 'ok' });
});
