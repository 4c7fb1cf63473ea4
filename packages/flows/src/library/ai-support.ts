import Type from 'typebox';
import { readyMade } from './ready-made.ts';
import { text } from './settings.ts';

const wantsPerson = (words: readonly string[]) => ({
  any: words.map((value) => ({ variable: 'variables.said', operator: 'contains' as const, value })),
});

/** Has a model answer people, and a person where they ask for one or the model fails. */
export const aiSupport = readyMade({
  name: 'ai-support',
  description:
    'Answers everything that no other flow takes, by a model; hands over to a person who is asked for, or when the model fails. Needs an AI provider.',
  settings: Type.Object(
    {
      instructions: Type.String({
        minLength: 1,
        maxLength: 8000,
        default:
          'You answer customers of a shop on WhatsApp. Be friendly and brief: three sentences at most. Answer in the language of the customer. Say so when you do not know something.',
        description: 'What the model is told of its task; a Liquid template.',
      }),
      handOverText: text('I will get a colleague for you.', 'Said when a person is asked for.'),
      failureText: text(
        'I can’t answer just now. A colleague will write to you.',
        'Said when the model fails.',
      ),
      personWords: Type.Array(Type.String({ minLength: 2, maxLength: 64 }), {
        minItems: 1,
        maxItems: 20,
        default: ['human', 'real person', 'talk to a person', 'agent', 'colleague'],
        description: 'Who says one of these wants a person.',
      }),
      historyTokens: Type.Integer({
        minimum: 100,
        maximum: 16_000,
        default: 2000,
        description: 'How much of the conversation the model is shown.',
      }),
      gatherSeconds: Type.Integer({
        minimum: 1,
        maximum: 30,
        default: 4,
        description: 'Several messages within so many seconds get one answer.',
      }),
    },
    { additionalProperties: false },
  ),
  build({ instructions, handOverText, failureText, personWords, historyTokens, gatherSeconds }) {
    return {
      name: 'AI support',
      description: 'Answers what no other flow takes, by a model, and hands over to a person.',
      priority: -100,
      gatherSeconds,
      triggers: [{ kind: 'any-message' }],
      start: 'is-voice',
      nodes: {
        'is-voice': {
          kind: 'branch',
          cases: [
            { when: { variable: 'event.type', operator: 'equals', value: 'audio' }, next: 'transcribe' },
          ],
          otherwise: 'note',
        },
        transcribe: { kind: 'transcribe', saveAs: 'said', onError: 'failed', next: 'wants-person' },
        note: { kind: 'set-variable', name: 'said', value: '{{ event.text }}', next: 'wants-person' },
        'wants-person': {
          kind: 'branch',
          cases: [{ when: wantsPerson(personWords), next: 'tell-team' }],
          otherwise: 'reply',
        },
        reply: {
          kind: 'ai-reply',
          instructions: `${instructions}\n\nThe customer's last message: {{ variables.said }}`,
          historyTokens,
          saveAs: 'reply',
          onError: 'failed',
          next: 'done',
        },
        'tell-team': {
          kind: 'notify-team',
          title: '{{ contact.name | default: "A customer" }} asks for a person',
          body: '{{ variables.said }}',
          next: 'get-person',
        },
        'get-person': { kind: 'send', text: handOverText, next: 'hand-over' },
        failed: {
          kind: 'notify-team',
          title: 'AI support failed for {{ contact.name | default: "a customer" }}',
          body: '{{ error.code }} {{ error.message }}',
          severity: 'warning',
          next: 'apologise',
        },
        apologise: { kind: 'send', text: failureText, next: 'hand-over' },
        'hand-over': { kind: 'hand-over', reason: 'AI support', timeoutSeconds: 12 * 3600 },
        done: { kind: 'end' },
      },
    };
  },
  tests: [
    {
      name: 'has the model answer a burst of messages once',
      answers: [{ call: 'ai-reply', value: { text: 'Yes, in blue and red.' } }],
      conversation: [
        { say: 'hello' },
        { say: 'do you have hats?' },
        { waitSeconds: 4 },
        { expect: 'Yes, in blue and red.' },
      ],
      status: 'finished',
      effects: [{ kind: 'call', call: { kind: 'ai-reply' } }],
    },
    {
      name: 'understands voice messages',
      answers: [
        { call: 'transcribe', value: { text: 'Where is my parcel?' } },
        { call: 'ai-reply', value: { text: 'It comes tomorrow.' } },
      ],
      conversation: [
        { message: { type: 'audio', media: { path: 'media/1.ogg', mimeType: 'audio/ogg' } } },
        { waitSeconds: 4 },
        { expect: 'It comes tomorrow.' },
      ],
      variables: { said: 'Where is my parcel?' },
    },
    {
      name: 'hands over who asks for a person, and rests until that person lets go',
      contact: { name: 'Ada' },
      answers: [{ call: 'ai-reply', value: { text: 'Hello again!' } }],
      conversation: [
        { say: 'I want to talk to a human' },
        { waitSeconds: 4 },
        { expect: 'I will get a colleague for you.' },
        { say: 'are you there?' },
        { waitSeconds: 60 },
        { release: true },
        { say: 'thank you' },
        { waitSeconds: 4 },
        { expect: 'Hello again!' },
      ],
      effects: [{ kind: 'handover' }, { kind: 'notify', title: 'Ada asks for a person' }],
    },
    {
      name: 'is never silent when the model fails',
      answers: [{ call: 'ai-reply', error: 'AI_AWAY' }],
      conversation: [
        { say: 'do you have hats?' },
        { waitSeconds: 4 },
        { expect: 'I can’t answer just now. A colleague will write to you.' },
      ],
      effects: [{ kind: 'handover' }, { kind: 'notify', severity: 'warning' }],
    },
  ],
});
