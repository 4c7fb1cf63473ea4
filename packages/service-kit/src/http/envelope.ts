import Type, { type TSchema } from 'typebox';

/** The schema of a successful answer that carries `data`. */
export function ok<T extends TSchema>(data: T) {
  return Type.Object({ success: Type.Literal(true), data });
}

/** Wraps what a handler answers: `return succeed(row)` under a route whose response is `ok(schema)`. */
export function succeed<T>(data: T): { success: true; data: T } {
  return { success: true, data };
}

/** The schema of every answer that is not a success. */
export const failureSchema = Type.Object({
  success: Type.Literal(false),
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  }),
});

/** What a caller gets of an error. */
export interface Failure {
  success: false;
  error: { code: string; message: string; details?: Record<string, unknown> };
}

/** Makes the answer for an error: only what is public of it. */
export function fail(error: {
  code: string;
  message: string;
  details?: Record<string, unknown> | undefined;
}): Failure {
  const { code, message, details } = error;
  return { success: false, error: details === undefined ? { code, message } : { code, message, details } };
}
