import Type from 'typebox';
import { readyMade } from './ready-made.ts';
import { text } from './settings.ts';

const greeting = 'Hello Ada! How can we help you?';
const titles = ['Opening hours', 'My order', 'Talk to a person'];

/** Greets people, and shows them what they can ask for. */
export const welcomeMenu = readyMade({
  name: 'welcome-menu',
  description:
    'Greets who writes for the first time, or says "menu" at any time, and offers opening hours, help with an order, or a person.',
  settings: Type.Object(
    {
      greeting: text(
        'Hello{% if contact.name %} {{ contact.name }}{% endif %}! How can we help you?',
        'The greeting.',
      ),
      openingHours: text(
        'We are there Monday to Friday, 9 to 17 o’clock.',
        'What is said about opening hours.',
      ),
      askForOrder: text('What is your order’s number? It begins with “#”.', 'The question for an order.'),
      words: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        maxItems: 20,
        default: ['menu', 'help'],
        description: 'Words that bring the menu, whatever was asked before.',
      }),
    },
    { additionalProperties: false },
  ),
  build({ greeting: words, openingHours, askForOrder, words: keywords }) {
    return {
      name: 'Welcome menu',
      description: 'Greets, and shows what can be asked for.',
      priority: 10,
      interrupts: true,
      triggers: [{ kind: 'keyword', words: keywords }, { kind: 'first-message' }],
      start: 'menu',
      nodes: {
        menu: {
          kind: 'ask',
          text: words,
          buttons: [
            { id: 'menu-hours', title: titles[0]!, next: 'hours' },
            { id: 'menu-order', title: titles[1]!, next: 'which-order' },
            { id: 'menu-person', title: titles[2]!, next: 'tell-team' },
          ],
          saveAs: 'choice',
          expect: 'button',
          retries: 1,
          retryText: 'Please choose one of these.',
          onInvalid: 'tell-team',
          timeoutSeconds: 3600,
          onTimeout: 'done',
          next: 'done',
        },
        hours: { kind: 'send', text: openingHours, next: 'done' },
        'which-order': {
          kind: 'ask',
          text: askForOrder,
          saveAs: 'number',
          timeoutSeconds: 3600,
          onTimeout: 'done',
          next: 'find-order',
        },
        'find-order': {
          kind: 'shopify-lookup',
          resource: 'order',
          by: 'name',
          value: '{{ variables.number }}',
          saveAs: 'order',
          onNotFound: 'no-order',
          onError: 'tell-team',
          next: 'tell-order',
        },
        'tell-order': {
          kind: 'send',
          text: 'Order {{ variables.order.name }}: {{ variables.order.displayFulfillmentStatus | default: "in work" | downcase | replace: "_", " " }}.',
          next: 'done',
        },
        'no-order': { kind: 'send', text: 'We can’t find an order with this number.', next: 'tell-team' },
        'tell-team': {
          kind: 'notify-team',
          title: '{{ contact.name | default: "Somebody" }} wants to talk to a person',
          body: '{{ event.text }}',
          next: 'calm',
        },
        calm: { kind: 'send', text: 'Someone from our team will write to you shortly.', next: 'hand-over' },
        'hand-over': { kind: 'hand-over', reason: 'asked for in the menu', timeoutSeconds: 12 * 3600 },
        done: { kind: 'end' },
      },
    };
  },
  tests: [
    {
      name: 'greets, and tells the opening hours',
      contact: { name: 'Ada' },
      conversation: [
        { message: { type: 'text', text: 'hi there', isFirst: true } },
        { expect: { text: greeting, buttons: titles } },
        { tap: 'menu-hours' },
        { expect: 'We are there Monday to Friday, 9 to 17 o’clock.' },
      ],
      status: 'finished',
    },
    {
      name: 'finds an order',
      contact: { name: 'Ada' },
      answers: [
        {
          call: 'shopify',
          where: { resource: 'order', by: 'name', value: '#1001' },
          value: { record: { name: '#1001', displayFulfillmentStatus: 'IN_PROGRESS' } },
        },
        { call: 'shopify', value: { record: null } },
      ],
      conversation: [
        { say: 'menu' },
        { expect: { text: greeting } },
        { tap: 'menu-order' },
        { expect: 'What is your order’s number? It begins with “#”.' },
        { say: '#1001' },
        { expect: 'Order #1001: in progress.' },
        { say: 'Menu' },
        { expect: { text: greeting } },
        { say: 'my order' },
        { expect: 'What is your order’s number? It begins with “#”.' },
        { say: '#9' },
        { expect: 'We can’t find an order with this number.' },
        { expect: 'Someone from our team will write to you shortly.' },
      ],
      effects: [{ kind: 'handover' }, { kind: 'notify', title: 'Ada wants to talk to a person' }],
    },
    {
      name: 'gives who writes something else a second chance, then a person; "menu" always brings the menu',
      contact: { name: 'Ada' },
      conversation: [
        { say: 'menu' },
        { expect: { text: greeting } },
        { say: 'help' },
        { expect: { text: greeting } },
        { say: 'something else' },
        { expect: { text: 'Please choose one of these.', buttons: titles } },
        { say: 'no' },
        { expect: 'Someone from our team will write to you shortly.' },
        { say: 'menu' },
      ],
      effects: [{ kind: 'handover' }],
    },
  ],
});
