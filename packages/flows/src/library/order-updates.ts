import Type from 'typebox';
import { readyMade } from './ready-made.ts';
import { fallback, Template, text } from './settings.ts';

const order = {
  name: '#1001',
  customer: { first_name: 'Ada' },
  order_status_url: 'https://first-shop.example/o/1',
};

/** Tells people how their order is getting on. */
export const orderUpdates = readyMade({
  name: 'order-updates',
  description:
    'Confirms an order, and tells when it is on its way or cancelled. Needs the topics orders/create, orders/cancelled and fulfillments/create.',
  settings: Type.Object(
    {
      confirmedText: text(
        'Thank you{% if event.body.customer.first_name %}, {{ event.body.customer.first_name }}{% endif %}! We have your order {{ event.body.name }}. {{ event.body.order_status_url }}',
        'When an order has come; event.body is the order.',
      ),
      shippedText: text(
        'Your order {{ event.body.name | split: "." | first }} is on its way.{% if event.body.tracking_url %} Follow it here: {{ event.body.tracking_url }}{% endif %}',
        'When something was sent; event.body is the fulfillment.',
      ),
      cancelledText: text('Your order {{ event.body.name }} was cancelled.', 'When an order was cancelled.'),
      confirmedTemplate: Template,
      shippedTemplate: Template,
      cancelledTemplate: Template,
    },
    { additionalProperties: false },
  ),
  build(settings) {
    const send = (words: string, template: Parameters<typeof fallback>[0]) => ({
      kind: 'send' as const,
      text: words,
      ...fallback(template),
      next: 'done',
    });
    const isTopic = (topic: string) => ({
      variable: 'event.name',
      operator: 'equals' as const,
      value: topic,
    });
    return {
      name: 'Order updates',
      description: 'Tells people how their order is getting on.',
      triggers: [{ kind: 'shopify', topics: ['orders/create', 'fulfillments/create', 'orders/cancelled'] }],
      start: 'which',
      nodes: {
        which: {
          kind: 'branch',
          cases: [
            { when: isTopic('orders/create'), next: 'confirmed' },
            { when: isTopic('fulfillments/create'), next: 'shipped' },
          ],
          otherwise: 'cancelled',
        },
        confirmed: send(settings.confirmedText, settings.confirmedTemplate),
        shipped: send(settings.shippedText, settings.shippedTemplate),
        cancelled: send(settings.cancelledText, settings.cancelledTemplate),
        done: { kind: 'end' },
      },
    };
  },
  tests: [
    {
      name: 'confirms, tells of the parcel and of a cancellation',
      conversation: [
        { event: { kind: 'shopify', name: 'orders/create', body: order } },
        { expect: 'Thank you, Ada! We have your order #1001. https://first-shop.example/o/1' },
        {
          event: {
            kind: 'shopify',
            name: 'fulfillments/create',
            body: { name: '#1001.1', tracking_url: 'https://parcel.example/7' },
          },
        },
        { expect: 'Your order #1001 is on its way. Follow it here: https://parcel.example/7' },
        { event: { kind: 'shopify', name: 'orders/cancelled', body: order } },
        { expect: 'Your order #1001 was cancelled.' },
      ],
      status: 'finished',
    },
    {
      name: 'does without a name and without a parcel number',
      conversation: [
        {
          event: {
            kind: 'shopify',
            name: 'orders/create',
            body: { name: '#2', customer: null, order_status_url: 'https://x.example' },
          },
        },
        { expect: 'Thank you! We have your order #2. https://x.example' },
        { event: { kind: 'shopify', name: 'fulfillments/create', body: { name: '#2.1' } } },
        { expect: 'Your order #2 is on its way.' },
        { event: { kind: 'shopify', name: 'orders/edited', body: order } },
      ],
    },
  ],
});
