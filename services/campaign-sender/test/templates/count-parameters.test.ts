import t from 'tap';
import { countParameters } from '../../src/templates/count-parameters.ts';

t.test('the values that a template wants are counted by part', async (t) => {
  t.strictSame(
    countParameters([
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: 'Hello {{1}}, {{ 2 }} and {{1}} again' },
      {
        type: 'BUTTONS',
        buttons: [
          { type: 'URL', url: 'https://example.com/{{1}}' },
          { type: 'URL', url: 'https://example.com/' },
          { type: 'COPY_CODE' },
          { type: 'QUICK_REPLY' },
        ],
      },
    ]),
    { header: 1, body: 2, buttons: 2 },
  );
  t.strictSame(
    countParameters([
      { type: 'HEADER', text: 'Hi {{name}}' },
      { type: 'BODY', text: 'plain' },
    ]),
    {
      header: 1,
      body: 0,
    },
  );
  t.strictSame(countParameters([{ type: 'FOOTER', text: '{{1}}' }]), {});
});
