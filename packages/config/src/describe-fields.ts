import type { ConfigFields } from './fields.ts';

/** One variable as `.env.example` documents it. */
export interface FieldDescription {
  variable: string;
  description: string;
  default: string | undefined;
  required: boolean;
  requiredInProduction: boolean;
  secret: boolean;
}

/** Lists the variables behind a set of fields, for the documentation and the test that holds it true. */
export function describeFields(fields: ConfigFields): FieldDescription[] {
  return Object.values(fields).map(({ variable, options }) => ({
    variable,
    description: options.description,
    default: options.default === undefined ? undefined : String(options.default),
    required: options.default === undefined && !options.optional,
    requiredInProduction: options.requiredInProduction ?? false,
    secret: options.secret ?? false,
  }));
}
