import { isCodedError } from '@switchyard/errors';
import { filesAway, filesFull } from './errors.ts';

/** An error of a store as one of ours; a coded one stays what it is. */
export function explainError(error: unknown, what: string): unknown {
  if (isCodedError(error)) return error;
  for (let each = error; each instanceof Error; each = each.cause)
    if (['ENOSPC', 'EDQUOT'].includes((each as NodeJS.ErrnoException).code ?? ''))
      return filesFull('the disk of the file store is full', { cause: error, delayMs: 10_000 });
  return filesAway(`the file store can't ${what} now`, { cause: error });
}
