import Type, { type Static } from 'typebox';
import { newObjectId } from './identifiers.ts';

/** A component as the Graph API stores it. */
export interface TemplateComponent {
  readonly type: string;
  readonly format?: string;
  readonly text?: string;
  readonly buttons?: readonly { readonly type: string; readonly text?: string; readonly url?: string }[];
  readonly [key: string]: unknown;
}

/** A message template. */
export interface Template {
  readonly id: string;
  readonly name: string;
  readonly language: string;
  readonly category: string;
  readonly parameterFormat: 'POSITIONAL' | 'NAMED';
  readonly components: readonly TemplateComponent[];
  status: string;
}

/** A template as tests and the control API give it; what is absent stays as it is, or gets a default. */
export const TemplateInput = Type.Object(
  {
    businessAccountId: Type.Optional(Type.String({ minLength: 1 })),
    name: Type.String({ pattern: '^[a-z0-9_]{1,512}$' }),
    language: Type.Optional(Type.String({ minLength: 2 })),
    category: Type.Optional(
      Type.Union([Type.Literal('MARKETING'), Type.Literal('UTILITY'), Type.Literal('AUTHENTICATION')]),
    ),
    parameterFormat: Type.Optional(Type.Union([Type.Literal('POSITIONAL'), Type.Literal('NAMED')])),
    components: Type.Optional(Type.Array(Type.Record(Type.String(), Type.Unknown()))),
    status: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);
export type TemplateInput = Static<typeof TemplateInput>;

/** The templates of every business account. */
export interface Templates {
  find(businessAccountId: string, name: string, language: string): Template | undefined;
  /** @returns undefined when the name exists in that language. */
  create(businessAccountId: string, template: Omit<Template, 'id'>): Template | undefined;
  list(businessAccountId: string): Template[];
  /** Adds a template, or changes the one of this name and language. @returns it, and whether its status is another now. */
  put(businessAccountId: string, template: TemplateInput): { template: Template; isStatusNew: boolean };
  /** Deletes a name in every language, or one by its id. @returns what was deleted. */
  remove(businessAccountId: string, name: string, id?: string): Template[];
  byId(id: string): { template: Template; businessAccountId: string } | undefined;
  /** Restores the sample templates. */
  reset(): void;
}

const samples: readonly Omit<Template, 'id'>[] = [
  {
    name: 'hello_world',
    language: 'en_US',
    category: 'UTILITY',
    status: 'APPROVED',
    parameterFormat: 'POSITIONAL',
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'Hello World' },
      {
        type: 'BODY',
        text: 'Welcome and congratulations!! This message demonstrates your ability to send a template.',
      },
      { type: 'FOOTER', text: 'WhatsApp Business Platform sample message' },
    ],
  },
  {
    name: 'order_update',
    language: 'en_US',
    category: 'UTILITY',
    status: 'APPROVED',
    parameterFormat: 'POSITIONAL',
    components: [
      { type: 'BODY', text: 'Hi {{1}}, your order {{2}} is on its way.' },
      {
        type: 'BUTTONS',
        buttons: [
          { type: 'URL', text: 'Track', url: 'https://example.com/orders/{{1}}' },
          { type: 'QUICK_REPLY', text: 'Thanks' },
        ],
      },
    ],
  },
  {
    name: 'login_code',
    language: 'en_US',
    category: 'AUTHENTICATION',
    status: 'APPROVED',
    parameterFormat: 'POSITIONAL',
    components: [
      { type: 'BODY', text: '*{{1}}* is your verification code.' },
      {
        type: 'BUTTONS',
        buttons: [
          {
            type: 'URL',
            text: 'Copy code',
            url: 'https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}',
          },
        ],
      },
    ],
  },
  {
    name: 'offer',
    language: 'en_US',
    category: 'MARKETING',
    status: 'APPROVED',
    parameterFormat: 'NAMED',
    components: [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: 'Hello {{first_name}}, today everything is {{discount}} off.' },
      { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Stop' }] },
    ],
  },
];

/** Creates {@link Templates}. @param accounts which business accounts get the samples. */
export function createTemplates(accounts: () => string[]): Templates {
  const byAccount = new Map<string, Map<string, Template>>();
  const keyOf = (name: string, language: string) => `${name}/${language}`;

  function account(id: string): Map<string, Template> {
    let templates = byAccount.get(id);
    if (!templates) {
      templates = new Map();
      byAccount.set(id, templates);
      for (const sample of samples) {
        templates.set(keyOf(sample.name, sample.language), { ...sample, id: newObjectId() });
      }
    }
    return templates;
  }

  return {
    find: (businessAccountId, name, language) => account(businessAccountId).get(keyOf(name, language)),
    create(businessAccountId, template) {
      const templates = account(businessAccountId);
      const key = keyOf(template.name, template.language);
      if (templates.has(key)) return undefined;
      const created = { ...template, id: newObjectId() };
      templates.set(key, created);
      return created;
    },
    put(businessAccountId, { businessAccountId: _account, ...input }) {
      const templates = account(businessAccountId);
      const language = input.language ?? 'en_US';
      const key = keyOf(input.name, language);
      const known = templates.get(key);
      const template: Template = {
        id: newObjectId(),
        category: 'UTILITY',
        parameterFormat: 'POSITIONAL',
        components: [{ type: 'BODY', text: 'Hello.' }],
        status: 'APPROVED',
        ...known,
        ...(input as unknown as Partial<Template>),
        ...{ name: input.name, language },
      };
      templates.set(key, template);
      return { template, isStatusNew: known?.status !== template.status };
    },
    list: (businessAccountId) => [...account(businessAccountId).values()],
    remove(businessAccountId, name, id) {
      const templates = account(businessAccountId);
      const removed = [...templates.values()].filter(
        (template) => template.name === name && (id === undefined || template.id === id),
      );
      for (const template of removed) templates.delete(keyOf(template.name, template.language));
      return removed;
    },
    byId(id) {
      for (const businessAccountId of accounts()) {
        for (const template of account(businessAccountId).values()) {
          if (template.id === id) return { template, businessAccountId };
        }
      }
      return undefined;
    },
    reset: () => byAccount.clear(),
  };
}
