type JsonSchema = Record<string, unknown>;

/**
 * Makes a value that fits a schema, with what a text offers: the label that it names, its numbers, its addresses. Good enough to try
 * a flow with, and the same every time.
 */
export function answerBySchema(schema: JsonSchema, text: string, name = ''): unknown {
  const choices = schema.enum as unknown[] | undefined;
  if (choices?.length) {
    const said = text.toLowerCase();
    return choices.find((choice) => said.includes(String(choice).toLowerCase())) ?? choices.at(-1);
  }
  if (schema.const !== undefined) return schema.const;
  const [type] = [schema.type].flat();
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>).map(([key, inner]) => [
          key,
          answerBySchema(inner, text, key),
        ]),
      );
    case 'array':
      return [];
    case 'integer':
    case 'number': {
      const found = Number(/-?\d+(?:\.\d+)?/.exec(text)?.[0] ?? schema.minimum ?? 0);
      return type === 'integer' ? Math.round(found) : found;
    }
    case 'boolean':
      return /\b(yes|true|please|sure)\b/i.test(text);
    case 'null':
      return null;
    default:
      return readText(name, text);
  }
}

function readText(name: string, text: string): string {
  if (/mail/i.test(name)) return /[^\s@]+@[^\s@]+\.[a-z]+/i.exec(text)?.[0] ?? '';
  if (/order|number/i.test(name)) return /#?\d+/.exec(text)?.[0] ?? '';
  return text.slice(0, 100);
}
