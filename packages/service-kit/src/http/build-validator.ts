import AjvCompiler, { type BuildCompilerFromPool } from '@fastify/ajv-compiler';

type Compile = (route: { httpPart?: string }) => ReturnType<ReturnType<BuildCompilerFromPool>>;

/**
 * Compiles a route's schemas. Query, path and headers are text and are converted; a body says what it means:
 * `"1"` is not a number there, and nothing is taken out of it silently.
 */
export const buildValidator: BuildCompilerFromPool = (externalSchemas, options) => {
  const factory = AjvCompiler();
  const compilerWith = (coerceTypes: 'array' | false) => {
    const customOptions = { ...options?.customOptions, coerceTypes, removeAdditional: false };
    // The types speak of bare schemas, where Fastify passes a route's part.
    return factory(externalSchemas, { ...options, customOptions } as typeof options) as unknown as Compile;
  };
  const text = compilerWith('array');
  const body = compilerWith(false);
  const compile: Compile = (route) => (route.httpPart === 'body' ? body(route) : text(route));
  return compile as unknown as ReturnType<BuildCompilerFromPool>;
};
