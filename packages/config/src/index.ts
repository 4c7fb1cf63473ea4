export { describeFields, type FieldDescription } from './describe-fields.ts';
export { ConfigError, type ConfigFields, type Field, type FieldOptions, field } from './fields.ts';
export { type ConfigOf, loadConfig } from './load-config.ts';
