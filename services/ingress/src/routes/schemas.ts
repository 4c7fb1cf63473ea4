import Type from 'typebox';

/** An id in a path. */
export const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 191 }) });

/** Milliseconds since 1970. */
export const Epoch = Type.Integer({ minimum: 0 });

/** What people call a thing. */
export const Name = Type.String({ minLength: 1, maxLength: 200 });

/** A secret of the provider's app. */
export const Secret = Type.String({ minLength: 8, maxLength: 512 });

/** The word the provider must know when it subscribes. */
export const VerifyToken = Type.String({ minLength: 8, maxLength: 512 });

/** `resource:action`, a whole merchant (`*`), or the installation (`admin`). */
export const Scope = Type.String({ maxLength: 64, pattern: '^(\\*|admin|[a-z][a-z-]*:(read|write|\\*))$' });
