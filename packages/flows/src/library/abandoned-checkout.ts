import Type from 'typebox';
import { readyMade } from './ready-made.ts';
import { fallback, Template, text } from './settings.ts';

const checkout = {
  kind: 'shopify' as const,
  name: 'checkouts/create',
  body: {
    token: 'tok_1',
    abandoned_checkout_url: 'https://first-shop.example/recover/tok_1',
    customer: { first_name: 'Ada' },
    line_items: [{ title: 'Blue hat', quantity: 1 }],
  },
};
const reminder =
  'Hello Ada, you left Blue hat in your cart. It is still there: https://first-shop.example/recover/tok_1';
const noOrder = { call: 'shopify' as const, where: { resource: 'order' }, value: { record: null } };

/** Reminds people of a checkout that they did not finish, unless they order or write meanwhile. */
export const abandonedCheckout = readyMade({
  name: 'abandoned-checkout',
  description:
    'Waits after a checkout, makes sure that no order came, reminds, and stops on a reply or an order. Needs the topics checkouts/create, checkouts/update and orders/create.',
  settings: Type.Object(
    {
      waitMinutes: Type.Number({
        minimum: 0.05,
        maximum: 10_080,
        default: 60,
        description: 'From the checkout to the reminder.',
      }),
      secondAfterHours: Type.Integer({
        minimum: 0,
        maximum: 168,
        default: 23,
        description: 'From the first reminder to a second one; 0: there is none.',
      }),
      text: text(
        'Hello{% if variables.name != "" %} {{ variables.name }}{% endif %}, you left {{ variables.item }} in your cart. It is still there: {{ variables.url }}',
        'The reminder. variables.name, variables.item and variables.url are those of the checkout.',
      ),
      secondText: text(
        'Your cart is still waiting{% if variables.name != "" %}, {{ variables.name }}{% endif %}: {{ variables.url }}',
        'The second reminder.',
      ),
      template: Template,
      secondTemplate: Template,
    },
    { additionalProperties: false },
  ),
  build({ waitMinutes, secondAfterHours, text: words, secondText, template, secondTemplate }) {
    const stops = [
      { kind: 'shopify' as const, names: ['orders/create', 'orders/paid'], next: 'bought' },
      { kind: 'message' as const, next: 'replied' },
    ];
    return {
      name: 'Abandoned checkout',
      description: 'Reminds people of a checkout that they did not finish.',
      // A checkout that is changed begins the wait anew.
      exclusion: { group: 'abandoned-checkout', policy: 'replace' },
      triggers: [
        {
          kind: 'shopify',
          topics: ['checkouts/create', 'checkouts/update'],
          where: { variable: 'event.body.completed_at', operator: 'is-not-set' },
        },
      ],
      start: 'note-name',
      nodes: {
        'note-name': {
          kind: 'set-variable',
          name: 'name',
          value: '{{ event.body.customer.first_name }}',
          next: 'note-item',
        },
        'note-item': {
          kind: 'set-variable',
          name: 'item',
          value: '{{ event.body.line_items[0].title | default: "something" }}',
          next: 'note-url',
        },
        'note-url': {
          kind: 'set-variable',
          name: 'url',
          value: '{{ event.body.abandoned_checkout_url }}',
          next: 'note-token',
        },
        'note-token': { kind: 'set-variable', name: 'token', value: '{{ event.body.token }}', next: 'wait' },
        wait: {
          kind: 'wait-for-event',
          events: stops,
          timeoutSeconds: Math.ceil(waitMinutes * 60),
          onTimeout: 'look-for-order',
        },
        // A webhook may have been lost: the shop itself is asked. Where it can't be, its webhooks are believed.
        'look-for-order': {
          kind: 'shopify-lookup',
          resource: 'order',
          by: 'query',
          value: 'checkout_token:{{ variables.token }}',
          saveAs: 'order',
          onNotFound: 'remind',
          onError: 'remind',
          next: 'bought',
        },
        remind: {
          kind: 'send',
          text: words,
          ...fallback(template),
          onError: 'done',
          next: secondAfterHours > 0 ? 'wait-again' : 'done',
        },
        ...(secondAfterHours > 0
          ? {
              'wait-again': {
                kind: 'wait-for-event' as const,
                events: stops,
                timeoutSeconds: secondAfterHours * 3600,
                onTimeout: 'remind-again',
              },
              'remind-again': {
                kind: 'send' as const,
                text: secondText,
                ...fallback(secondTemplate ?? template),
                onError: 'done',
                next: 'done',
              },
            }
          : {}),
        bought: { kind: 'end', result: { outcome: 'bought' } },
        replied: { kind: 'end', result: { outcome: 'replied' } },
        done: { kind: 'end', result: { outcome: 'reminded' } },
      },
    };
  },
  tests: [
    {
      name: 'reminds after an hour, and once more a day later',
      answers: [noOrder],
      conversation: [
        { event: checkout },
        { waitSeconds: 3599 },
        { waitSeconds: 1 },
        { expect: reminder },
        { waitSeconds: 23 * 3600 },
        { expect: 'Your cart is still waiting, Ada: https://first-shop.example/recover/tok_1' },
      ],
      status: 'finished',
      effects: [{ kind: 'call', call: { kind: 'shopify', by: 'query', value: 'checkout_token:tok_1' } }],
    },
    {
      name: 'says nothing to who orders within the hour',
      conversation: [
        { event: checkout },
        { waitSeconds: 1800 },
        { event: { kind: 'shopify', name: 'orders/create', body: { name: '#1001' } } },
        { waitSeconds: 90_000 },
      ],
      status: 'finished',
    },
    {
      name: 'says nothing where the shop knows of an order whose webhook was lost',
      answers: [{ call: 'shopify', value: { record: { name: '#1001' } } }],
      conversation: [{ event: checkout }, { waitSeconds: 90_000 }],
      status: 'finished',
    },
    {
      name: 'stops when the person replies to the reminder',
      answers: [noOrder],
      conversation: [
        { event: checkout },
        { waitSeconds: 3600 },
        { expect: reminder },
        { say: 'not now' },
        { waitSeconds: 90_000 },
      ],
      status: 'finished',
    },
    {
      name: 'waits anew when the checkout is changed, and reminds once',
      answers: [noOrder],
      conversation: [
        { event: checkout },
        { waitSeconds: 3000 },
        { event: { ...checkout, name: 'checkouts/update' } },
        { waitSeconds: 3000 },
        { waitSeconds: 600 },
        { expect: reminder },
      ],
      status: 'waiting',
    },
    {
      name: 'reminds all the same where the shop can not be asked, and people without a name',
      answers: [{ call: 'shopify', error: 'SHOP_NOT_CONNECTED' }],
      conversation: [
        {
          event: {
            ...checkout,
            body: { token: 'tok_2', abandoned_checkout_url: 'https://x.example/2', customer: null },
          },
        },
        { waitSeconds: 3600 },
        { expect: 'Hello, you left something in your cart. It is still there: https://x.example/2' },
      ],
    },
    {
      name: 'leaves alone a checkout that is an order already',
      conversation: [
        { event: { ...checkout, body: { ...checkout.body, completed_at: '2026-01-05T09:00:00Z' } } },
        { waitSeconds: 90_000 },
      ],
      status: 'not-started',
    },
  ],
});
