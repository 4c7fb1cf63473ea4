/**
 * Imported before each test file (`.taprc`). With FAST_CHECK_SEED set, property tests try the same cases each time, so that a commit
 * that passed does so again; unset, each run tries new ones.
 */
const seed = Number(process.env.FAST_CHECK_SEED ?? Number.NaN);
if (Number.isSafeInteger(seed)) {
  const { configureGlobal, readConfigureGlobal } = await import('fast-check');
  configureGlobal({ ...readConfigureGlobal(), seed });
}
