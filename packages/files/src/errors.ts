import { defineError } from '@switchyard/errors';

/** There is no file at this path (any more). */
export const fileMissing = defineError('FILE_MISSING', 404, 'never');
/** The path is not one that the store gives: relative, of plain characters, without `..`. */
export const filePathInvalid = defineError('FILE_PATH_INVALID', 400, 'never');
/** The file store does not answer, or refuses us. */
export const filesAway = defineError('FILES_AWAY', 503, 'later');
/** The disk of the file store is full. */
export const filesFull = defineError('FILES_FULL', 507, 'later');
