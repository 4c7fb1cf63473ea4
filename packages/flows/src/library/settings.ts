import Type from 'typebox';

/** A text that the merchant may word otherwise; a Liquid template. */
export const text = (words: string, description: string) =>
  Type.String({ minLength: 1, maxLength: 1024, default: words, description });

/** An approved template, for people whose 24-hour window is closed. */
export const Template = Type.Optional(
  Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 512, pattern: '^[a-z0-9_]+$' }),
      language: Type.String({ minLength: 2, maxLength: 16 }),
      /** The values of its body's parameters, in order: Liquid templates. */
      parameters: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), { maxItems: 20 })),
    },
    { additionalProperties: false },
  ),
);

/** The fields of a send node that sends a template where a text may not go. */
export function fallback(template: { name: string; language: string; parameters?: string[] } | undefined): {
  templateFallback?: { name: string; language: { code: string }; components?: Record<string, unknown>[] };
} {
  if (!template) return {};
  const { name, language, parameters } = template;
  const components =
    parameters === undefined
      ? {}
      : {
          components: [
            { type: 'body', parameters: parameters.map((value) => ({ type: 'text', text: value })) },
          ],
        };
  return { templateFallback: { name, language: { code: language }, ...components } };
}
