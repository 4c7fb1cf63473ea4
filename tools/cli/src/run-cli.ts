import { parseArgs } from 'node:util';
import { CliError } from './cli-error.ts';
import { connectShopify } from './connect-shopify.ts';
import { connectWhatsapp } from './connect-whatsapp.ts';
import { createApi } from './create-api.ts';
import { flowUsage, runFlowCommand } from './flow/run-flow-command.ts';

/** Usually `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a command writes: results, and what is wrong. */
export interface Output {
  print: (line: string) => void;
  complain: (line: string) => void;
}

const usage = `switchyard connect whatsapp --number <phone_number_id> --account <WABA id> [--webhook-url <https://…/webhooks/whatsapp>]
  WHATSAPP_APP_SECRET, WHATSAPP_ACCESS_TOKEN, and for --webhook-url WHATSAPP_VERIFY_TOKEN
switchyard connect shopify --shop <name>.myshopify.com
  SHOPIFY_API_SECRET
${flowUsage}

Options of connect: --url (ingress, http://localhost:3000), --senders-url (campaign-sender, http://localhost:3001),
  --graph-url (https://graph.facebook.com/v24.0), --merchant <id> (with an admin's key)
SWITCHYARD_API_KEY is the key. Secrets come from the environment alone, where other users of the machine can't see them.
Safe to run again: what is there is used.`;

const options = {
  url: { type: 'string', default: 'http://localhost:3000' },
  'senders-url': { type: 'string', default: 'http://localhost:3001' },
  'graph-url': { type: 'string', default: 'https://graph.facebook.com/v24.0' },
  merchant: { type: 'string' },
  number: { type: 'string' },
  account: { type: 'string' },
  'webhook-url': { type: 'string' },
  shop: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/**
 * Runs one command.
 *
 * @param args without node and script.
 * @returns the exit code: 0 done, 1 it did not work, 2 it was called wrongly.
 */
export async function runCli(args: readonly string[], env: Environment, output: Output): Promise<number> {
  const { print, complain } = output;
  if (args[0] === 'flow') {
    try {
      return await runFlowCommand(args.slice(1), env, output);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      complain(error.message);
      return 1;
    }
  }
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    complain(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    print(usage);
    return 0;
  }
  try {
    const need = (name: string): string => {
      const value = env[name];
      if (value === undefined || value === '') throw new CliError(`${name} must be set`);
      return value;
    };
    const given = (name: 'number' | 'account' | 'shop'): string => {
      const value = values[name];
      if (value === undefined) throw new CliError(`--${name} must be given`);
      return value;
    };
    const apiOf = (url: string) =>
      createApi({ url, apiKey: need('SWITCHYARD_API_KEY'), merchantId: values.merchant });
    const ingressUrl = values.url;
    const command = positionals.join(' ');
    if (command === 'connect whatsapp') {
      const webhookUrl = values['webhook-url'];
      const settings = {
        ingress: apiOf(ingressUrl),
        ingressUrl,
        senders: apiOf(values['senders-url']),
        number: given('number'),
        account: given('account'),
        appSecret: need('WHATSAPP_APP_SECRET'),
        accessToken: need('WHATSAPP_ACCESS_TOKEN'),
        verifyToken: webhookUrl === undefined ? env.WHATSAPP_VERIFY_TOKEN : need('WHATSAPP_VERIFY_TOKEN'),
        graphUrl: values['graph-url'],
        webhookUrl,
      };
      await connectWhatsapp(settings, print);
    } else if (command === 'connect shopify') {
      const apiSecret = need('SHOPIFY_API_SECRET');
      await connectShopify({ ingress: apiOf(ingressUrl), ingressUrl, shop: given('shop'), apiSecret }, print);
    } else {
      complain(`${command === '' ? 'no command' : `unknown command: ${command}`}\n\n${usage}`);
      return 2;
    }
    return 0;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    complain(error.message);
    return 1;
  }
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
}
