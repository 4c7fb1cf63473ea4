/** A field that a query asks for. */
export interface Field {
  name: string;
  alias: string;
  args: Record<string, Value>;
  fields: Field[];
}

/** An argument's value; a variable is looked up when the query runs. */
export type Value =
  | string
  | number
  | boolean
  | null
  | { variable: string }
  | Value[]
  | { object: Record<string, Value> };

/** A query: its name and what it asks for. */
export interface Query {
  name: string;
  fields: Field[];
}

const tokenPattern =
  /[\s,]*(?:(#[^\n]*)|("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)|(\$?[A-Za-z_]\w*)|(\.\.\.|[{}()[\]:=!]))/y;

/**
 * Parses the subset of GraphQL that apps like Switchyard write: one query, with variables, aliases, arguments and inline fragments.
 *
 * @throws SyntaxError
 */
export function parseQuery(text: string): Query {
  const tokens = tokenize(text);
  let at = 0;
  const peek = () => tokens[at];
  function take(expected?: string): string {
    const token = tokens[at];
    if (token === undefined || (expected !== undefined && token !== expected))
      throw new SyntaxError(
        `syntax error at ${token ?? 'the end'}${expected ? `, expected ${expected}` : ''}`,
      );
    at += 1;
    return token;
  }

  function value(): Value {
    const token = take();
    if (token.startsWith('$')) return { variable: token.slice(1) };
    if (token.startsWith('"')) return JSON.parse(token) as string;
    if (/^-?\d/.test(token)) return Number(token);
    if (token === '[') {
      const items: Value[] = [];
      while (peek() !== ']') items.push(value());
      take(']');
      return items;
    }
    if (token === '{') {
      const object: Record<string, Value> = {};
      while (peek() !== '}') {
        const name = take();
        take(':');
        object[name] = value();
      }
      take('}');
      return { object };
    }
    return token === 'true' ? true : token === 'false' ? false : token === 'null' ? null : token;
  }

  function selection(): Field[] {
    take('{');
    const fields: Field[] = [];
    while (peek() !== '}') {
      if (peek() === '...') {
        take('...');
        take('on');
        take();
        fields.push(...selection());
        continue;
      }
      let name = take();
      let alias = name;
      if (peek() === ':') {
        take(':');
        name = take();
      } else alias = name;
      const args: Record<string, Value> = {};
      if (peek() === '(') {
        take('(');
        while (peek() !== ')') {
          const argument = take();
          take(':');
          args[argument] = value();
        }
        take(')');
      }
      fields.push({ name, alias, args, fields: peek() === '{' ? selection() : [] });
    }
    take('}');
    return fields;
  }

  let name = '';
  if (peek() !== '{') {
    take('query');
    if (peek() !== '{' && peek() !== '(') name = take();
    if (peek() === '(') {
      // Types of variables are the real API's to check.
      while (take() !== ')');
    }
  }
  const fields = selection();
  if (at < tokens.length) throw new SyntaxError(`syntax error at ${peek()}`);
  return { name, fields };
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length && text.slice(tokenPattern.lastIndex).trim() !== '') {
    const from = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (!match) throw new SyntaxError(`syntax error at ${text.slice(from, from + 20)}`);
    const token = match[2] ?? match[3] ?? match[4] ?? match[5];
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}
