import { filePathInvalid } from './errors.ts';

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,190}$/;
const LONGEST = 191;

/**
 * Refuses a path that could lead elsewhere, or that one of the stores would take for another: segments of letters, digits, `.`,
 * `_` and `-` that don't begin with a dot.
 *
 * @throws FILE_PATH_INVALID
 */
export function checkPath(path: string): string {
  if (path.length > LONGEST || !path.split('/').every((segment) => SEGMENT.test(segment)))
    throw filePathInvalid('a path has plain segments, such as media/2026-11/med_1.jpg');
  return path;
}
