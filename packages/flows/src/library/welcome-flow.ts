import type { FlowDefinition } from '../definitions/definition.ts';

/** The flow that the default merchant starts with (requirement R7.4). */
export const welcomeFlow: FlowDefinition = {
  name: 'Welcome',
  description: 'Greets, asks one question, and answers by what was said.',
  triggers: [{ kind: 'keyword', words: ['hello'], match: 'exact' }],
  start: 'ask-need',
  nodes: {
    'ask-need': {
      kind: 'ask',
      text: 'Hello{% if contact.name %} {{ contact.name }}{% endif %}! 👋 What can we help you with?',
      buttons: [
        { id: 'order', title: 'My order' },
        { id: 'products', title: 'Products' },
        { id: 'person', title: 'Talk to a person' },
      ],
      saveAs: 'need',
      expect: 'text',
      // Who says nothing for a day begins anew; "hello" is no answer then.
      timeoutSeconds: 24 * 3600,
      onTimeout: 'done',
      next: 'decide',
    },
    decide: {
      kind: 'branch',
      cases: [
        { when: { variable: 'need', operator: 'contains', value: 'order' }, next: 'order' },
        { when: { variable: 'need', operator: 'contains', value: 'product' }, next: 'products' },
        { when: { variable: 'need', operator: 'contains', value: 'person' }, next: 'person' },
      ],
      otherwise: 'noted',
    },
    order: { kind: 'send', text: 'Please send us your order number, and we will look it up.', next: 'done' },
    products: {
      kind: 'send',
      text: 'Tell us what you are looking for, and we will send you a selection.',
      next: 'done',
    },
    person: {
      kind: 'send',
      text: 'Of course. Someone from our team will write to you shortly.',
      next: 'done',
    },
    noted: {
      kind: 'send',
      text: 'Thank you! We have noted: “{{ variables.need }}”. We will get back to you soon.',
      next: 'done',
    },
    done: { kind: 'end' },
  },
};
