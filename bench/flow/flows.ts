/** What the bench's people talk to: ask, branch, send. */
export const askFlow = {
  name: 'Bench: ask, branch, send',
  triggers: [{ kind: 'keyword', words: ['hello'], match: 'exact' }],
  start: 'ask-need',
  nodes: {
    'ask-need': {
      kind: 'ask',
      text: 'Hello{% if contact.name %} {{ contact.name }}{% endif %}! 👋 What can we help you with?',
      buttons: [
        { id: 'order', title: 'My order' },
        { id: 'products', title: 'Products' },
      ],
      saveAs: 'need',
      expect: 'text',
      timeoutSeconds: 24 * 3600,
      onTimeout: 'done',
      next: 'decide',
    },
    decide: {
      kind: 'branch',
      cases: [
        { when: { variable: 'need', operator: 'contains', value: 'order' }, next: 'order' },
        { when: { variable: 'need', operator: 'contains', value: 'product' }, next: 'products' },
      ],
      otherwise: 'noted',
    },
    order: { kind: 'send', text: 'Please send us your order number, and we will look it up.', next: 'done' },
    products: { kind: 'send', text: 'Tell us what you are looking for.', next: 'done' },
    noted: { kind: 'send', text: 'Thank you! We have noted: “{{ variables.need }}”.', next: 'done' },
    done: { kind: 'end' },
  },
};

/** What waits in its thousands: a time, then a message. */
export const waitFlow = {
  name: 'Bench: wait, send',
  triggers: [{ kind: 'keyword', words: ['wait for it'], match: 'exact' }],
  start: 'nap',
  nodes: {
    nap: { kind: 'wait', seconds: 30 * 24 * 3600, next: 'remind' },
    remind: { kind: 'send', text: 'It is time, {{ contact.name }}.', next: 'done' },
    done: { kind: 'end' },
  },
};
