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

/** The templates of every business account. */
export interface Templates {
  find(businessAccountId: string, name: string, language: string): Template | undefined;
  /** @returns undefined when the name exists in that language. */
  create(businessAccountId: string, template: Omit<Template, 'id'>): Template | undefined;
  list(businessAccountId: string): Template[];
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
